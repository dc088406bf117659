import type { Leadership, LeadershipView } from '../../apps/controller/src/leadership/leadership.port.js';

type Leader = Readonly<{ id: string; advertise: string }>;

/** Leadership by decree. */
export class FakeLeadership implements Leadership {
  private view: LeadershipView;
  private readonly listeners = new Set<(view: LeadershipView) => void>();
  private readonly heard: number[] = [];

  constructor(readonly me: Leader) {
    this.view = { me: me.id, term: 0, leader: null, leading: false, signal: null };
  }

  current(): LeadershipView {
    return this.view;
  }

  onChange(listener: (view: LeadershipView) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  heardTerm(term: number): void {
    this.heard.push(term);
  }

  lead(term: number): void {
    this.become({ ...this.view, term, leader: this.me, leading: true, signal: new AbortController().signal });
  }

  /** `leader` null: nobody leads. */
  follow(leader: Leader | null, term = this.view.term): void {
    this.become({ ...this.view, term, leader, leading: false, signal: null });
  }

  private become(view: LeadershipView): void {
    this.view = view;
    for (const listener of this.listeners) listener(view);
  }
}

import type { Leadership, LeadershipView } from '../../apps/controller/src/leadership/leadership.port.js';

/** Leadership that a test gives and takes. */
export class FakeLeadership implements Leadership {
  private readonly listeners = new Set<(view: LeadershipView) => void>();
  private controller: AbortController | null = null;
  heard: number[] = [];
  term = 0;

  constructor(private readonly me: string) {}

  current(): LeadershipView {
    const leading = this.controller !== null && !this.controller.signal.aborted;
    const leader = leading ? { id: this.me, advertise: this.me } : null;
    return { me: this.me, term: this.term, leader, leading, signal: this.controller?.signal ?? null };
  }

  onChange(listener: (view: LeadershipView) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  heardTerm(term: number): void {
    this.heard.push(term);
  }

  won(term: number): void {
    this.term = term;
    this.controller = new AbortController();
    for (const listener of this.listeners) listener(this.current());
  }

  lost(): void {
    this.controller?.abort(new Error('leadership lost'));
    for (const listener of this.listeners) listener(this.current());
  }
}

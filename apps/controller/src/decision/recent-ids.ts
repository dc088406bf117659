import type { Ms } from '#health';

/** Far more than what a controller has to tell at once; an id that is asked for stays, the longest unasked go first. */
const MAX_IDS = 2_000;

/** Ids with the instant at which they were first noted, bounded: a controller lives for months. */
export class RecentIds {
  private readonly ids = new Map<string, Ms>();

  constructor(private readonly max = MAX_IDS) {}

  get size(): number {
    return this.ids.size;
  }

  /** When it was noted; null: never, or too long ago. */
  since(id: string): Ms | null {
    const atMs = this.ids.get(id);
    if (atMs === undefined) return null;
    this.ids.delete(id);
    this.ids.set(id, atMs);
    return atMs;
  }

  note(id: string, nowMs: Ms): void {
    const atMs = this.since(id) ?? nowMs;
    this.ids.set(id, atMs);
    const [oldest] = this.ids.keys();
    if (this.ids.size > this.max && oldest !== undefined) this.ids.delete(oldest);
  }

  forget(id: string): void {
    this.ids.delete(id);
  }
}

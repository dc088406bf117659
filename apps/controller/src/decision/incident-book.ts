import type { AlertType } from '#failover';

/** Alerts of one family share an incident: from suspicion to completion it is one story, and one page. */
const FAMILY: Readonly<Partial<Record<AlertType, string>>> = {
  suspected: 'failover',
  held: 'failover',
  acting: 'failover',
  completed: 'failover',
  compensated: 'failover',
  needs_operator: 'failover',
};

/** A family that was quiet for this long starts a new incident; a flap within it goes on with the old one. */
const QUIET_MS = 30_000;
/** Stories of old epochs are forgotten first; far more than there are groups and families. */
const MAX_STORIES = 2_000;

/** Of a story that the store says is over: longer ago than anything. */
const OVER = Number.NEGATIVE_INFINITY;

type Story = { count: number; lastAssertedMs: number | null };

/**
 * Names incidents so that every controller arrives at the same name: `<group>-<epoch>-<family>-<n>`, where n counts the
 * incidents of that family in that epoch. A controller that takes over, or that must alert by the direct path, first
 * learns the names already used ({@link seen}).
 */
export class IncidentBook {
  private readonly stories = new Map<string, Story>();

  /** The incident that `type`, asserted at `nowMs`, belongs to; `fresh` if this assertion opened it. */
  assert(group: string, epoch: number, type: AlertType, nowMs: number): Readonly<{ incident: string; fresh: boolean }> {
    const key = keyOf(group, epoch, type);
    const story = this.stories.get(key) ?? { count: 0, lastAssertedMs: null };
    const fresh = story.count === 0 || (story.lastAssertedMs !== null && nowMs - story.lastAssertedMs > QUIET_MS);
    const next = { count: fresh ? story.count + 1 : story.count, lastAssertedMs: nowMs };
    this.put(key, next);
    return { incident: `${key}-${next.count}`, fresh };
  }

  /**
   * A controller that does not lead sees the same: a running story goes on, so that taking over in its middle neither
   * opens a second one nor tells the same again. It opens none: that is told by the store.
   */
  touch(group: string, epoch: number, type: AlertType, nowMs: number): void {
    const key = keyOf(group, epoch, type);
    const story = this.stories.get(key);
    if (story?.lastAssertedMs == null || nowMs - story.lastAssertedMs > QUIET_MS) return;
    this.put(key, { ...story, lastAssertedMs: nowMs });
  }

  /** The present incident of the family, without asserting anything. */
  current(group: string, epoch: number, type: AlertType): string {
    const key = keyOf(group, epoch, type);
    return `${key}-${Math.max(1, this.stories.get(key)?.count ?? 0)}`;
  }

  /**
   * An incident name found in the store: numbers go on from there. One that is `open` goes on under its name; one that is over
   * is never taken up again, for its alerts were told already and nobody would be called.
   */
  seen(incident: string, open: boolean, nowMs: number): void {
    const { key, count, numbered } = partsOf(incident);
    if (!numbered && !open) return; // no number goes on from it
    const story = this.stories.get(key);
    const late = open && story?.count === count && story.lastAssertedMs === OVER; // its row was read after its event
    if (story === undefined || story.count < count || late)
      this.put(key, { count, lastAssertedMs: open ? nowMs : OVER });
  }

  /**
   * Nobody asserted it for long, or a newer story of its family has begun: what it told of no longer holds. A story that
   * is none of the matrix told of one moment and is never asserted again.
   */
  isQuiet(incident: string, nowMs: number): boolean {
    const { key, count } = partsOf(incident);
    const story = this.stories.get(key);
    if (story === undefined) return false; // learnt at the next reading
    if (story.count > count) return true;
    return story.lastAssertedMs !== null && nowMs - story.lastAssertedMs > QUIET_MS;
  }

  private put(key: string, story: Story): void {
    this.stories.delete(key);
    this.stories.set(key, story);
    const [oldest] = this.stories.keys();
    if (this.stories.size > MAX_STORIES && oldest !== undefined) this.stories.delete(oldest);
  }
}

/** A name without a number, as that of a schedule, is a story by itself. */
function partsOf(incident: string): Readonly<{ key: string; count: number; numbered: boolean }> {
  const match = /^(.+)-(\d+)$/.exec(incident);
  if (match?.[1] === undefined) return { key: incident, count: 1, numbered: false };
  return { key: match[1], count: Number(match[2]), numbered: true };
}

const keyOf = (group: string, epoch: number, type: AlertType): string => `${group}-${epoch}-${FAMILY[type] ?? type}`;

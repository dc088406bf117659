import type { Ms } from '#health';
import type { FleetRow, GroupRow, PauseRow } from '../persistence/authority-store.port.js';

/** How long ago, at least, a person or a saga last changed what starts windows anew. Null: never. */
export type HandAges = Readonly<{ modeChangedMs: Ms | null; unpausedMs: Ms | null; publishedSagaMs: Ms | null }>;

type Seen = Readonly<{ value: string; atMs: Ms }>;

/**
 * The ages that windows rest on, by this process's own monotonic clock: the time since it first saw the row's present
 * value. The row's instants are another controller's wall clock, and a step of it (or of ours) by an hour would fill at
 * once a window that must start anew (I4, I12). So a value found at the first reading counts as new too: at worst a
 * controller that was just started waits one window longer, never one shorter. A pause that runs out is seen at the
 * reading that finds it over; when that is, the wall clock still decides.
 */
export class HandWatch {
  private readonly seen = new Map<string, Seen>();
  private readonly files = new Map<string, Readonly<{ config: object; atMs: Ms | null }>>();

  /**
   * How long ago this process took over another mode or policy of the group from its file; null: it never did. What it
   * began with is no change, for the windows of a controller that was just started begin with what agents have seen.
   */
  reloadedMs(group: string, config: object, nowMs: Ms): Ms | null {
    const known = this.files.get(group);
    if (known?.config !== config) this.files.set(group, { config, atMs: known === undefined ? null : nowMs });
    const atMs = this.files.get(group)?.atMs ?? null;
    return atMs === null ? null : nowMs - atMs;
  }

  /** For how long no saga of the group was open; null: one is. How it ended, and who asked for it, is all one. */
  noSagaMs(group: string, open: boolean, nowMs: Ms): Ms | null {
    return this.since(`${group}/no saga`, open ? null : 'none', nowMs);
  }

  /** `fleet`: what holds for all groups; its pause begins and ends like a group's own. */
  ages(row: GroupRow | null, fleet: FleetRow, nowMs: Ms, wallMs: Ms): HandAges {
    if (row === null) return { modeChangedMs: null, unpausedMs: null, publishedSagaMs: null };
    const since = (what: string, value: string | null): Ms | null => this.since(`${row.name}/${what}`, value, nowMs);
    const ages = [
      since('unpaused', row.unpausedAt),
      since('ran out', ranOut(row.pause, wallMs)),
      since('all unpaused', fleet.unpausedAt),
      since('ran out for all', ranOut(fleet.pause, wallMs)),
    ].filter((age) => age !== null);
    return {
      modeChangedMs: since('mode', row.modeChangedAt),
      unpausedMs: ages.length === 0 ? null : Math.min(...ages),
      publishedSagaMs: since('saga', row.lastPublishedSagaAt),
    };
  }

  private since(key: string, value: string | null, nowMs: Ms): Ms | null {
    const known = this.seen.get(key);
    if (value === null) {
      this.seen.delete(key);
      return null;
    }
    if (known?.value === value) return nowMs - known.atMs;
    this.seen.set(key, { value, atMs: nowMs });
    return 0;
  }
}

const ranOut = (pause: PauseRow | null, wallMs: Ms): string | null =>
  pause !== null && Date.parse(pause.expiresAt) <= wallMs ? pause.expiresAt : null;

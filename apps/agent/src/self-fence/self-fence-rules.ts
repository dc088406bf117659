import type { LeaseGrant } from '#failover';
import type { ClusterName, Ms } from '#health';

/** The pure rules of the agent's end of the self-fence. All instants are on this process's monotonic clock. */

/** Told by a leader, on disk before it counts: without a token for `selfFenceAfterMs` this agent closes the cluster. */
export type ArmedEntry = Readonly<{
  group: string;
  cluster: ClusterName;
  epoch: number;
  term: number;
  selfFenceAfterMs: Ms;
}>;

/** `sentAtMs`: when this agent sent the newest request that the leader had taken in before it issued the token. */
export type LeaseToken = Readonly<{ term: number; number: number; grants: readonly LeaseGrant[]; sentAtMs: Ms }>;

export type Life = Readonly<{
  entry: ArmedEntry;
  freshAtMs: Ms;
  /** Since when the leader wants it given up; null: it does not. */
  disarmingSinceMs: Ms | null;
}>;

/** After a start nothing is known of tokens: the cluster is closed unless one comes within `waitMs`. */
export const afterStart = (entry: ArmedEntry, now: Ms, waitMs: Ms): Life => ({
  entry,
  freshAtMs: now + waitMs - entry.selfFenceAfterMs,
  disarmingSinceMs: null,
});

/**
 * One grant of a token. A self-fence that is to be given up is kept for `quietMs` more, and said to be gone meanwhile: by
 * then every controller has heard so, or knows that it has not heard this agent lately. Null: not armed.
 */
export function hear(life: Life | null, grant: LeaseGrant, token: LeaseToken, now: Ms, quietMs: Ms): Life | null {
  const freshAtMs = Math.max(token.sentAtMs, life?.freshAtMs ?? -Infinity);
  if (grant.arm) {
    const { group, cluster, epoch, selfFenceAfterMs } = grant;
    return { entry: { group, cluster, epoch, term: token.term, selfFenceAfterMs }, freshAtMs, disarmingSinceMs: null };
  }
  if (life === null) return null;
  const disarmingSinceMs = life.disarmingSinceMs ?? now;
  return now - disarmingSinceMs >= quietMs ? null : { ...life, freshAtMs, disarmingSinceMs };
}

export const isOverdue = ({ entry, freshAtMs }: Life, now: Ms): boolean => now - freshAtMs > entry.selfFenceAfterMs;

import type { ClusterGoal, FenceKind, FenceOffer, PreviousValues } from '#failover';
import type { Ms } from '#health';

/** What was read back of one kind of fence. */
export type FenceReading = Readonly<{
  state: 'fenced' | 'open' | 'partial' | 'foreign' | 'unknown';
  readAtMs: Ms; // monotonic
  detail: string;
  previous: PreviousValues; // what the agent's disk holds of it
  deniedGroups?: readonly string[]; // consumer groups that are refused; absent: none
}>;

/** One kind of fence on one cluster. All methods are idempotent and throw what the cluster or the hook threw. */
export interface Fence {
  readonly kind: FenceKind;
  /** Whether it can close what the goal names. Asks the cluster at most once a minute. */
  offer(goal: ClusterGoal): Promise<FenceOffer>;
  /** Closes, and reads back. */
  place(goal: ClusterGoal, signal: AbortSignal): Promise<FenceReading>;
  /** Takes away what was ours, and reads back. */
  lift(goal: ClusterGoal, signal: AbortSignal): Promise<FenceReading>;
  read(goal: ClusterGoal): Promise<FenceReading>;
}

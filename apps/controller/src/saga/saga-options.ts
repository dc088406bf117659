import type { Policy, StepTimes, WatchGroup } from '#failover';
import type { PreHook } from './pre-hook.js';

/** A group as sagas need it, from the configuration. */
export type SagaGroup = Readonly<{
  name: string;
  clusters: readonly Readonly<{ name: string; idc: string; bootstrapServers: readonly string[] }>[];
  watch: Omit<WatchGroup, 'active' | 'epoch'>;
  policy: Policy;
  /** Asked one after the other before a planned switch; each may veto. */
  preSwitchover?: readonly PreHook[];
}>;

export type SagaTimes = Readonly<{
  pollMs: number; // how often a step looks at the world
  commandMs: number; // deadline of one command to an agent
  pointerReadMs: number; // deadline of one read of the config center
  waiverAfterMs: number; // best-effort: how long a fence is tried while S's agent has a session
  refusalSpacingMs: number; // between two readings of the end offsets of a fenced cluster
  storeRetryMs: number; // between two attempts of a commit
  drainMs: number; // DRAIN's maxMs
  holdMs: number; // HOLD's maxMs: all that is left to do before publish must fit
  quietMs: number; // after DRAIN: how long end offsets are given to stand still
  quietSpacingMs: number; // between two readings of them
  holdWaitMs: number; // after HOLD: how long groups are given to stop
  refuseReadersMs: number; // how long refusing the consumer groups of an old side may hold up what comes after
  flowHoldsMs: number; // how long a flow that was started must run to be believed: a task fails with its first record
  failedFlowMs: number; // how long a flow that is waited for may have failed
  sourceWatchMs: number; // how often a planned switch looks whether its source lives
  retryMemoryMs: number; // an unpublished close older than this no longer counts as an attempt
  steps: StepTimes;
}>;

export const SAGA_TIMES: SagaTimes = {
  pollMs: 100,
  commandMs: 5_000,
  pointerReadMs: 2_000,
  waiverAfterMs: 5_000,
  refusalSpacingMs: 2_000,
  storeRetryMs: 500,
  drainMs: 60_000,
  holdMs: 60_000,
  quietMs: 5_000,
  quietSpacingMs: 400,
  holdWaitMs: 10_000,
  refuseReadersMs: 5_000,
  flowHoldsMs: 2_000,
  failedFlowMs: 15_000,
  sourceWatchMs: 500,
  retryMemoryMs: 600_000,
  steps: {},
};

export type SagaOptions = Readonly<{
  groups: readonly SagaGroup[];
  times: SagaTimes;
  controller: string;
  crashPoint: string | null; // POINTSMAN_CRASH
}>;

/** Asked each time: a reload changes policies, and an open saga keeps the one it was opened with. */
export type SagaGroups = Pick<ReadonlyMap<string, SagaGroup>, 'get' | 'has'>;

export const sagaGroups = (options: Pick<SagaOptions, 'groups'>): SagaGroups => {
  const get = (name: string): SagaGroup | undefined => options.groups.find((g) => g.name === name);
  return { get, has: (name) => get(name) !== undefined };
};

export const SAGA_OPTIONS = Symbol('SagaOptions');

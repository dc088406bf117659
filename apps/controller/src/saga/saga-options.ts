import type { Policy, StepTimes, WatchGroup } from '#failover';

/** A group as sagas need it, from the configuration. */
export type SagaGroup = Readonly<{
  name: string;
  clusters: readonly Readonly<{ name: string; idc: string; bootstrapServers: readonly string[] }>[];
  watch: Omit<WatchGroup, 'active' | 'epoch'>;
  policy: Policy;
}>;

export type SagaTimes = Readonly<{
  pollMs: number; // how often a step looks at the world
  commandMs: number; // deadline of one command to an agent
  pointerReadMs: number; // deadline of one read of the config center
  waiverAfterMs: number; // best-effort: how long a fence is tried while S's agent has a session
  refusalSpacingMs: number; // between two readings of the end offsets of a fenced cluster
  storeRetryMs: number; // between two attempts of a commit
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
  retryMemoryMs: 600_000,
  steps: {},
};

export type SagaOptions = Readonly<{
  groups: readonly SagaGroup[];
  times: SagaTimes;
  controller: string;
  crashPoint: string | null; // POINTSMAN_CRASH
}>;

export const SAGA_OPTIONS = Symbol('SagaOptions');

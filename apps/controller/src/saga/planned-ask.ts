import type { PlannedQuestion, Refusal, SagaPlan, SagaRecord, SagaRequest } from '#failover';

/** A planned switch as a person asks for it. */
export type PlannedAsk = Readonly<{
  kind: PlannedQuestion['kind'] | 'rejoin';
  group: string;
  target: string | null; // null: of a failback, where the last switch came from; of a rejoin, the cluster that waits
  request: SagaRequest;
}>;

export type Rehearsal = Readonly<{ target: string; epoch: number; refusals: readonly Refusal[]; plan: SagaPlan }>;
export type PlannedAnswer = Readonly<{ rehearsal: Rehearsal; saga: SagaRecord | null }>;

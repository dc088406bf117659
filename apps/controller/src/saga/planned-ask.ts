import type { Refusal, SagaKind, SagaPlan, SagaRecord, SagaRequest } from '#failover';

/** What a person asks for; a rejoin whose choice is `rebuild` becomes a saga of that kind. */
export type AskKind = Exclude<SagaKind, 'rebuild'>;

/** A saga as a person asks for it. A `failover` is one that was proposed, and is approved by the request. */
export type PlannedAsk = Readonly<{
  kind: AskKind;
  group: string;
  target: string | null; // null: of a failback, where the last switch came from; of a rejoin, the cluster that waits
  request: SagaRequest;
}>;

export type Rehearsal = Readonly<{ target: string; epoch: number; refusals: readonly Refusal[]; plan: SagaPlan }>;
export type PlannedAnswer = Readonly<{ rehearsal: Rehearsal; saga: SagaRecord | null }>;

import type { OrderLoss, Refusal, SagaKind, SagaPlan, SagaRecord, SagaRequest } from '#failover';

/** What a person asks for; a rejoin whose choice is `rebuild` becomes a saga of that kind. */
export type AskKind = Exclude<SagaKind, 'rebuild'>;

/** A saga as a person asks for it. A `failover` was proposed and is approved by the request, or is ordered by it (`force`). */
export type PlannedAsk = Readonly<{
  kind: AskKind;
  group: string;
  target: string | null; // null: of a failback, where the last switch came from; of a rejoin, the cluster that waits
  request: SagaRequest;
  /** Accepted when it was scheduled, by as many persons as it needs. */
  scheduled?: true;
}>;

export type Rehearsal = Readonly<{
  target: string;
  epoch: number;
  refusals: readonly Refusal[];
  plan: SagaPlan;
  loss?: OrderLoss; // of a failover that a person orders
}>;
export type PlannedAnswer = Readonly<{ rehearsal: Rehearsal; saga: SagaRecord | null }>;

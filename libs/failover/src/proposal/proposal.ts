import type { ClusterName, Ms, VerdictName } from '#health';
import type { Json, SagaRequest } from '../saga/types.js';

/** `withdrawn`: what it was about is over, or a person moved the group by another way. */
export type ProposalState = 'open' | 'approved' | 'rejected' | 'expired' | 'withdrawn';

/** `identity`: how the caller was authenticated, for "two different persons"; `by`: the name that person gave. */
export type Approval = Readonly<{ identity: string; by: string; reason: string; at: string }>;

/** A serving cluster and a dead one are two conditions: who refused to move off the first was not asked about the second. */
export type Condition = 'down' | 'degraded';

export const conditionOf = (verdict: VerdictName): Condition => (verdict === 'DEGRADED' ? 'degraded' : 'down');

/** A move that waits for persons. A group has at most one; the newest is kept, open or closed. */
export type Proposal = Readonly<{
  id: string; // UUIDv7
  /** `matrix`: a row wants to act. `person`: somebody asked for it and policy wants a second person. */
  origin: 'matrix' | 'person';
  act: 'failover' | 'switchover' | 'failback';
  row: number;
  condition: Condition;
  source: ClusterName;
  target: ClusterName;
  epoch: number; // of the group when it was proposed
  openedAt: string; // RFC 3339 UTC, as the other instants
  expiresAt: string;
  /** The proposal that a person closed before this one, about the same condition; a new page must not look like the old. */
  after: string | null;
  needed: 1 | 2; // different persons
  approvals: readonly Approval[];
  request: SagaRequest | null; // of a person
  /** Votes, window, reasons and loss as they were. */
  seen: Json;
  state: ProposalState;
  closed: Readonly<{ at: string; by: string; reason: string; saga: string | null }> | null;
}>;

/** The proposal as a decision sees it: ages instead of instants. */
export type ProposalFacts = Readonly<{
  id: string;
  origin: Proposal['origin'];
  act: Proposal['act'];
  state: ProposalState;
  condition: Condition;
  source: ClusterName;
  target: ClusterName;
  epoch: number;
  after: string | null;
  needed: 1 | 2;
  approvedBy: readonly string[]; // identities
  expiresInMs: Ms;
  closedAgeMs: Ms | null;
}>;

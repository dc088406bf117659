import type { ClusterName, Ms } from '#health';
import type { SagaRequest } from '../saga/types.js';

/** A switchover that a person asked for at a time. A group has at most one; it is asked all its questions again then. */
export type ScheduledSwitch = Readonly<{
  id: string; // UUIDv7; `abort` takes it
  act: 'switchover';
  target: ClusterName;
  at: string; // RFC 3339 UTC, by the leader's wall clock: a promise to people
  epoch: number; // of the group when it was asked for
  askedAt: string;
  request: SagaRequest;
}>;

/** The same as a decision sees it. */
export type ScheduledFacts = Readonly<
  Pick<ScheduledSwitch, 'id' | 'act' | 'target' | 'at' | 'epoch'> & { dueInMs: Ms; by: string; reason: string }
>;

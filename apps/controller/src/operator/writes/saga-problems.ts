import { ANOTHER_PERSON, type Proposal, type Refusal } from '#failover';
import { LostLeadershipError, OpenSagaExistsError } from '../../persistence/authority-store.port.js';
import { StaleGroupError } from '../../saga/saga.port.js';
import type { PlannedAsk } from '../../saga/saga.port.js';
import { Problem } from '../http/problem.js';
import { noLeader, staleEpoch } from '../http/write.guard.js';

/** What a person is told when a saga cannot be opened or ended. */

export function mustBeAt(group: string, now: number, seen: number): void {
  if (now !== seen) throw staleEpoch(`Group ${group} is at epoch ${now}, not ${seen}: look again before you act.`);
}

export function mustBeAllowed(ask: PlannedAsk, refusals: readonly Refusal[]): void {
  if (refusals.length === 0) return;
  throw new Problem({
    status: 409,
    code: 'refused',
    title: `The ${ask.kind} of ${ask.group} is refused`,
    detail: `${refusals.length} ${refusals.length === 1 ? 'reason stands' : 'reasons stand'} in its way; nothing was changed.`,
    blockedBy: refusals,
  });
}

export function asProblem(ask: PlannedAsk, error: unknown): unknown {
  if (error instanceof OpenSagaExistsError) {
    return new Problem({
      status: 409,
      code: 'refused',
      title: `The ${ask.kind} of ${ask.group} is refused`,
      detail: 'Another saga of the group is open; nothing was changed.',
      blockedBy: [{ name: 'SAGA_OPEN', detail: error.message, liftedBy: 'its end, or pointsman abort' }],
    });
  }
  if (error instanceof StaleGroupError) return staleEpoch(error.message);
  if (error instanceof LostLeadershipError) return noLeader('Leadership was lost while writing; nothing was changed.');
  return error;
}

/** Opened, approved or closed by another one between the look and the act. */
export const proposalMoved = (group: string): Problem =>
  new Problem({
    status: 409,
    code: 'refused',
    title: `The proposal of ${group} has changed`,
    detail:
      'Another one opened, approved or decided it a moment ago; nothing was changed. Look again, then say it again.',
    blockedBy: [{ name: 'PROPOSAL_MOVED', detail: 'it is not as it was read', liftedBy: `pointsman status ${group}` }],
  });

/**
 * By the row itself: what the planner sees is as old as its last look into the store, and a person who is fast would count
 * twice.
 */
export function mustBeAnother(group: string, { approvals }: Proposal, identity: string): void {
  if (approvals.every((a) => a.identity !== identity)) return;
  throw new Problem({
    status: 409,
    code: 'refused',
    title: `The approval of ${group} is refused`,
    detail: 'The same person approved it a moment ago; nothing was changed.',
    blockedBy: [{ name: 'SAME_PERSON', detail: `${identity} is one of its persons already`, liftedBy: ANOTHER_PERSON }],
  });
}

export const starting = (): Problem => noLeader('The leader is still starting; try again.');

export const closed = (id: string, outcome: string): Problem =>
  new Problem({
    status: 409,
    code: 'saga_closed',
    title: `Saga ${id} is closed`,
    detail: `It ended ${outcome}: there is nothing to abort.`,
  });

export const tooLate = (id: string): Problem =>
  new Problem({
    status: 409,
    code: 'too_late',
    title: 'too-late: publish',
    detail: `Saga ${id} has begun to publish and goes forward. To go back, let it end and ask for a failback.`,
    blockedBy: [{ name: 'PUBLISH_BEGUN', detail: 'the point of no return', liftedBy: 'pointsman failback' }],
  });

import type { GateName } from './facts.js';
import type { Situation } from './situation.js';

/** A gate only turns the action into `none`; rows, windows and alerts go on, leading or not. */
export type Gate = Readonly<{ name: GateName; sentence: string; closed: (s: Situation) => boolean }>;

export const GATES: readonly Gate[] = [
  {
    name: 'NOT_LEADER',
    sentence: 'this controller does not lead, or its term is not confirmed within the renew deadline',
    closed: ({ snapshot }) => !snapshot.leading,
  },
  {
    name: 'SAGA_OPEN',
    sentence: 'a saga of this group is open, for at most sagaMaxOpen',
    closed: ({ snapshot: { group }, policy }) =>
      group.openSaga !== null && group.openSaga.openForMs < policy.sagaMaxOpenMs,
  },
  {
    name: 'PAUSED',
    sentence: 'a person paused the group (or everything), or maintenance is announced',
    closed: ({ snapshot: { group } }) => group.pause !== null && group.pause.expiresInMs > 0,
  },
  {
    name: 'FROZEN',
    sentence: 'store and config center disagree about the epoch; a person must acknowledge',
    closed: ({ snapshot: { group } }) => group.frozen !== null,
  },
  {
    name: 'OBSERVE',
    sentence: 'mode observe: computes and tells, moves nothing',
    closed: ({ snapshot: { group } }) => group.mode === 'observe',
  },
];

export const closedGates = (s: Situation): readonly GateName[] => GATES.filter((g) => g.closed(s)).map((g) => g.name);

import type { Refusal } from '../saga/preconditions.js';
import type { BlockerByHand } from './by-hand.js';
import type { GateName, Snapshot } from './facts.js';
import type { Situation } from './situation.js';

/** A gate only turns the action into `none`; rows, windows and alerts go on, leading or not. */
export type Gate = Readonly<{
  name: GateName;
  sentence: string;
  closed: (s: Situation) => boolean;
  byHand: Extract<BlockerByHand, 'not-asked' | 'never'>; // a pause binds Pointsman, not a person (I29)
  liftedBy: (s: Snapshot) => string;
}>;

export const GATES: readonly Gate[] = [
  {
    name: 'NOT_LEADER',
    sentence: 'this controller does not lead, or its term is not confirmed within the renew deadline',
    closed: ({ snapshot }) => !snapshot.leading,
    byHand: 'never',
    liftedBy: () => 'the same call at the leader',
  },
  {
    name: 'SAGA_OPEN',
    sentence: 'a saga of this group is open, for at most sagaMaxOpen',
    closed: ({ snapshot: { group }, policy }) =>
      group.openSaga !== null && group.openSaga.openForMs < policy.sagaMaxOpenMs,
    byHand: 'never',
    liftedBy: ({ group }) => `its end, or pointsman abort ${group.openSaga?.id ?? ''} --reason "…"`,
  },
  {
    name: 'PAUSED',
    sentence: 'a person paused the group (or everything), or maintenance is announced',
    closed: ({ snapshot: { group } }) => group.pause !== null && group.pause.expiresInMs > 0,
    byHand: 'not-asked',
    liftedBy: ({ group }) =>
      `pointsman resume ${group.pause?.everywhere === true ? '--all' : group.name} --reason "…", or its end`,
  },
  {
    name: 'FROZEN',
    sentence: 'store and config center disagree about the epoch; a person must acknowledge',
    closed: ({ snapshot: { group } }) => group.frozen !== null,
    byHand: 'never',
    liftedBy: ({ group }) => `pointsman ack ${group.name} --reason "…"`,
  },
  {
    name: 'OBSERVE',
    sentence: 'mode observe: computes and tells, moves nothing',
    closed: ({ snapshot: { group } }) => group.mode === 'observe',
    byHand: 'not-asked',
    liftedBy: ({ group }) => `pointsman mode ${group.name} approve --reason "…"`,
  },
];

export const closedGates = (s: Situation): readonly GateName[] => GATES.filter((g) => g.closed(s)).map((g) => g.name);

/** Closed gates as reasons of a refusal, each with what lifts it. */
export const gateRefusals = (names: readonly GateName[], snapshot: Snapshot): readonly Refusal[] =>
  GATES.filter((g) => names.includes(g.name)).map(({ name, sentence, liftedBy }) => ({
    ...{ name, detail: sentence, liftedBy: liftedBy(snapshot) },
  }));

import type { Snapshot } from './facts.js';

/**
 * What S is to a person who would order a failover; each row names one of {@link BY_HAND}. `unsure`: it may still serve
 * somebody. `faulty`: it serves so badly that no planned switch can be had.
 */
export type ByHandName = 'dead' | 'unsure' | 'faulty' | 'serves' | 'agent-suspect';

type Where = Readonly<{ snapshot: Snapshot; target: string }>;

export type ByHand = Readonly<{ says: string }> & // for the generated document
  (
    | Readonly<{
        mayOrder: true;
        /** While a fresh vote says that S answers, it is left only behind a fence that was read back: nothing is waived. */
        fenceFirst: boolean;
      }>
    | Readonly<{ mayOrder: false; /** The call to make instead. */ instead: (w: Where) => string }>
  );

const switchover = ({ snapshot, target }: Where): string =>
  `pointsman switchover ${snapshot.group.name} --to ${target} --reason "…"`;

export const BY_HAND: Readonly<Record<ByHandName, ByHand>> = {
  dead: { mayOrder: true, fenceFirst: false, says: 'failover' },
  faulty: { mayOrder: true, fenceFirst: false, says: 'failover, fenced as the policy says' },
  unsure: {
    mayOrder: true,
    fenceFirst: true,
    says: 'failover; while anybody finds S answering only behind a fence that was read back',
  },
  serves: { mayOrder: false, says: 'no: S serves, so `switchover`, which loses nothing', instead: switchover },
  'agent-suspect': {
    mayOrder: false,
    says: "no: S serves everybody else, so mend S's agent, then `switchover`",
    instead: (w) => `mend the agent of ${w.snapshot.group.active}, then ${switchover(w)}`,
  },
};

/**
 * Whether a person may set a blocker aside. `accept-loss`: by the limit that every order states. `override`: by its name.
 * `override-rejoining`: by its name, where an unfinished rejoin is all that is wrong. `not-asked`: it is about what
 * Pointsman does by itself. `never`: the move could not be carried out, or would harm what it must not touch.
 */
export type BlockerByHand = 'accept-loss' | 'override' | 'override-rejoining' | 'not-asked' | 'never';

export const BLOCKER_BY_HAND_TEXTS: Readonly<Record<BlockerByHand, string>> = {
  'accept-loss': 'by the limit of loss that the order states',
  override: 'by its name',
  'override-rejoining':
    'by its name, if an unfinished rejoin is all: everything written to S since the last switch is lost',
  'not-asked': 'not asked',
  never: 'never',
};

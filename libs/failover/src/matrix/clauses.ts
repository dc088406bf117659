import { answers, type VerdictName, type Vote } from '#health';
import { flowBetween } from './lag.js';
import type { BlockerName, GroupFacts, SilentGap } from './facts.js';
import { BLOCKERS, findBlockers } from './blockers.js';
import type { Clause } from './row.js';
import type { Situation } from './situation.js';

/** The vocabulary of conditions; each says in words what it asks, for explain and for the generated document. */

export const verdictIs = (...names: readonly VerdictName[]): Clause => ({
  says: `S is ${names.join(' or ')}`,
  holds: (s) => names.includes(s.verdict.name),
});

export const modeIs = (mode: Situation['snapshot']['group']['mode']): Clause => ({
  says: `the mode is ${mode}`,
  holds: (s) => s.snapshot.group.mode === mode,
});

/** S serves, as far as anyone can tell: nobody who can judge says it is down for everyone. */
export const sourceAnswers: Clause = {
  says: 'S answers',
  holds: (s) => ['UP', 'DEGRADED', 'LINK_CUT', 'LOCAL_FAULT'].includes(s.verdict.name) && s.fresh.some(answers),
};

export const everyFreshVoteAnswers: Clause = {
  says: 'S answers in every fresh vote',
  holds: (s) => s.fresh.length > 0 && s.fresh.every(answers),
};

export const someFreshAllDown: Clause = {
  says: 'at least one fresh vote, all of them DOWN',
  holds: (s) => s.fresh.length > 0 && s.fresh.every((v) => v.state === 'DOWN'),
};

export const ownSilent: Clause = {
  says: "S's own agent is silent and said no goodbye",
  holds: (s) => s.sourceSeats.some((seat) => seat.own && seat.vote.state === 'STALE' && !seat.saidGoodbye),
};

/** I7 and I10: nothing acts on one DOWN, nor on witnesses from one side only. */
export const witnessedFromBothSides: Clause = {
  says: "two votes are DOWN, one from outside S's IDC, one from outside T's",
  holds: (s) => {
    const down = s.sourceSeats.filter((seat) => seat.vote.state === 'DOWN');
    return down.length >= 2 && down.some((seat) => !seat.own) && down.some((seat) => seat.idc !== s.target?.idc);
  },
};

const attestedBy = (v: Vote | null): boolean => v !== null && v.kind === 'UNREACHABLE' && v.everyBrokerRefused;

export const ownRefusedEverywhere: Clause = {
  says: "S's own agent was refused by every broker",
  holds: (s) => attestedBy(s.own),
};

export const nobodySaysNoService: Clause = {
  says: 'no vote is NO_SERVICE',
  holds: (s) => s.fresh.every((v) => v.kind !== 'NO_SERVICE'),
};

export const not = (clause: Clause): Clause => ({ says: `not: ${clause.says}`, holds: (s) => !clause.holds(s) });

export const all = (...clauses: readonly Clause[]): Clause => ({
  says: clauses.map((c) => c.says).join(' and '),
  holds: (s) => clauses.every((c) => c.holds(s)),
});

export const any = (...clauses: readonly Clause[]): Clause => ({
  says: clauses.map((c) => c.says).join(', or '),
  holds: (s) => clauses.some((c) => c.holds(s)),
});

export const clientsOutside: Clause = {
  says: 'policy clients: outside',
  holds: (s) => s.policy.clients === 'outside',
};

/** Older readings of a fence say nothing about now; fences are read at least each 10 s. */
const FENCE_MAX_AGE_MS = 30_000;

/** A reading from before the last saga ended saw a fence that this saga may have lifted. */
export const sourceFencedByUs: Clause = {
  says: 'S is fenced by an artefact of this group, read since its last saga ended',
  holds: ({ snapshot: { fences, group }, source }) => {
    const fence = fences.find((f) => f.cluster === source.name && f.state === 'fenced');
    return fence?.ageMs != null && fence.ageMs <= FENCE_MAX_AGE_MS && fence.ageMs < (group.noSagaOpenAgeMs ?? Infinity);
  },
};

export const noSagaOpen: Clause = { says: 'no saga is open', holds: (s) => s.snapshot.group.openSaga === null };

export const manyPartitionsAtFault: Clause = {
  says: 'the share of hot-standby partitions offline or under min ISR reaches partitionShare',
  holds: (s) => s.medians.partitionShare >= s.policy.partitionShare,
};

export const gray: Clause = {
  says: 'less than half of the canaries of 30 s succeed on at least half of the brokers',
  holds: (s) => s.medians.marks.includes('GRAY'),
};

export const someServiceFault: Clause = {
  says: 'a hot-standby partition is offline or under min ISR, a canary fails, S is recovering or has no quorum leader',
  holds: (s) =>
    s.medians.partitionsAtFault > 0 ||
    s.medians.canariesFailing > 0 ||
    s.medians.marks.includes('RECOVERING') ||
    s.medians.marks.includes('NO_QUORUM'),
};

/** A planned switch takes the side it leaves back in by itself, within its last steps: nobody has to come for that. */
const takesBackByItself = ({ openSaga }: GroupFacts): boolean =>
  openSaga?.kind === 'switchover' || openSaga?.kind === 'failback';

export const oldPrimaryAnswers: Clause = {
  says: 'a non-active member answers whose rejoin is not finished, and no planned switch that finishes it is open',
  holds: (s) =>
    !takesBackByItself(s.snapshot.group) &&
    s.snapshot.group.rejoin.some(
      (name) => name !== s.source.name && (s.seats[name] ?? []).some((seat) => answers(seat.vote)),
    ),
};

/** Observers silent or abstaining for longer than the policy allows. */
export const lostObservers = (s: Situation): readonly string[] =>
  s.sourceSeats
    .filter(({ vote }) => {
      if (answers(vote) || vote.state === 'DOWN') return false;
      const since = s.memory.missingSinceMs[vote.agent];
      const silent = vote.state === 'STALE' && vote.ageMs !== null && vote.ageMs > s.policy.observerLostMs;
      return silent || (since !== undefined && s.snapshot.now - since > s.policy.observerLostMs);
    })
    .map(({ vote }) => vote.agent);

export const observerLost: Clause = {
  says: 'an expected observer is silent or abstaining for longer than observerLost',
  holds: (s) => lostObservers(s).length > 0,
};

/** What would block a failover right now; history (cool-down, flapping) is no lack of readiness. */
export const READINESS: readonly BlockerName[] = BLOCKERS.map((b) => b.name).filter(
  (name) => name !== 'COOLDOWN' && name !== 'FLAPPING',
);

/** What the copy on T lacks or holds twice, and nobody has acknowledged since it was found. */
export function untoldGaps({ snapshot, source, target }: Situation): readonly SilentGap[] {
  const gaps = target === null ? [] : (flowBetween(snapshot, source.name, target.name)?.gaps ?? []);
  const acknowledgedAgeMs = snapshot.group.flapsAcknowledgedAgeMs;
  return acknowledgedAgeMs === null ? gaps : gaps.filter((g) => g.ageMs < acknowledgedAgeMs);
}

export const copyWithGaps: Clause = {
  says: 'the copy lacks records that nobody removed there, or holds some twice, not acknowledged',
  holds: (s) => untoldGaps(s).length > 0,
};

export const notReady: Clause = {
  says: 'a failover would be blocked now: target, lag, config center, self-fence, settings or placement',
  holds: (s) => findBlockers(READINESS, { situation: s, lag: s.lagNow }).length > 0,
};

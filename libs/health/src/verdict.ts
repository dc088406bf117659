import { neverHeard } from './age-report.js';
import { mergeIdcVotes } from './merge-votes.js';
import type { AgentId, ClusterName, IdcName, Ms, Observer, Verdict, VerdictName, Vote } from './types.js';

export type GroupCluster = Readonly<{ name: ClusterName; idc: IdcName }>;

/** A goodbye this young means a planned stop: the agent's silence is no evidence (I13). */
export const GOODBYE_COUNTS_MS: Ms = 600_000;

/** One IDC's seat: its merged vote on the cluster and how it stands to it. */
export type Seat = Readonly<{
  idc: IdcName;
  vote: Vote;
  own: boolean; // in the cluster's IDC
  witness: boolean; // in an IDC without a cluster of the group
  saidGoodbye: boolean;
}>;

export const isFresh = (v: Vote): boolean => v.state !== 'STALE' && v.state !== 'ABSTAIN';
export const answers = (v: Vote): boolean => v.state === 'UP' || v.state === 'DEGRADED';
export const isDownVote = (v: Vote): boolean => v.state === 'DOWN';

/** E as seats, in the order of `observers`; several agents in one IDC share a seat. */
export function seatsOf(
  observers: readonly Observer[],
  votes: Readonly<Record<AgentId, Vote>>,
  cluster: ClusterName,
  groupClusters: readonly GroupCluster[],
): readonly Seat[] {
  const home = groupClusters.find((c) => c.name === cluster)?.idc ?? null;
  const byIdc = new Map<IdcName, Observer[]>();
  for (const o of observers) byIdc.set(o.idc, [...(byIdc.get(o.idc) ?? []), o]);
  return [...byIdc].map(([idc, here]) => ({
    idc,
    vote: mergeIdcVotes(here.map((o) => votes[o.agent] ?? neverHeard(o.agent))),
    own: idc === home,
    witness: !groupClusters.some((c) => c.idc === idc),
    saidGoodbye: here.some((o) => o.goodbyeAgeMs !== null && o.goodbyeAgeMs < GOODBYE_COUNTS_MS),
  }));
}

type Poll = Readonly<{
  expected: number;
  fresh: readonly Seat[];
  own: Seat | null;
  ownFresh: Seat | null;
  outsiders: readonly Seat[]; // fresh
  home: IdcName | null;
}>;

type Rule = Readonly<{ name: VerdictName; holds: (p: Poll) => boolean }>;

const all = (seats: readonly Seat[], f: (v: Vote) => boolean): boolean => seats.every((s) => f(s.vote));
const unreachable = (v: Vote): boolean => v.state === 'DOWN' && v.kind === 'UNREACHABLE';
const someWitness = (seats: readonly Seat[]): boolean => seats.some((s) => s.witness);

/** First match wins. With three observers no acting verdict of the 343 combinations rests on a single DOWN. */
const RULES: readonly Rule[] = [
  { name: 'UNKNOWN', holds: (p) => p.fresh.length * 2 <= p.expected },
  { name: 'DOWN_ATTESTED', holds: (p) => all(p.fresh, isDownVote) && p.ownFresh !== null },
  {
    // An own agent that lives and abstains, or said goodbye, is no evidence that its IDC died.
    name: 'DOWN_ISOLATED',
    holds: (p) =>
      all(p.fresh, isDownVote) &&
      p.own !== null &&
      p.own.vote.state === 'STALE' &&
      !p.own.saidGoodbye &&
      someWitness(p.fresh),
  },
  {
    name: 'LOCAL_FAULT',
    holds: (p) => p.ownFresh !== null && isDownVote(p.ownFresh.vote) && all(p.outsiders, answers),
  },
  {
    name: 'ALIVE_INSIDE',
    holds: (p) =>
      p.ownFresh !== null &&
      answers(p.ownFresh.vote) &&
      p.outsiders.length >= 2 &&
      someWitness(p.outsiders) &&
      all(p.outsiders, isDownVote),
  },
  {
    name: 'LINK_CUT',
    holds: (p) => !(p.ownFresh !== null && isDownVote(p.ownFresh.vote)) && p.outsiders.some((s) => unreachable(s.vote)),
  },
  { name: 'UP', holds: (p) => all(p.fresh, (v) => v.state === 'UP') },
  { name: 'DEGRADED', holds: (p) => !p.fresh.some((s) => isDownVote(s.vote)) },
  { name: 'SPLIT', holds: () => true },
];

/** The verdict of seats already built by {@link seatsOf}. */
export function verdictOfSeats(seats: readonly Seat[], home: IdcName | null): Verdict {
  const fresh = seats.filter((s) => isFresh(s.vote));
  const own = seats.find((s) => s.own) ?? null;
  const poll: Poll = {
    expected: seats.length,
    fresh,
    own,
    ownFresh: own !== null && isFresh(own.vote) ? own : null,
    outsiders: fresh.filter((s) => !s.own),
    home,
  };
  const name = RULES.find((r) => r.holds(poll))?.name ?? 'SPLIT';
  return {
    name,
    fresh: fresh.map((s) => s.vote.agent),
    own: own?.vote.agent ?? null,
    witnesses: fresh.flatMap((s) => (s.witness ? [s.vote.agent] : [])),
    cutPairs:
      name === 'LINK_CUT' && home !== null
        ? poll.outsiders.flatMap((s) => (unreachable(s.vote) ? [[s.idc, home] as const] : []))
        : [],
  };
}

/** What the votes mean together for `cluster`. */
export function verdict(
  observers: readonly Observer[],
  votes: Readonly<Record<AgentId, Vote>>,
  cluster: ClusterName,
  groupClusters: readonly GroupCluster[],
): Verdict {
  const home = groupClusters.find((c) => c.name === cluster)?.idc ?? null;
  return verdictOfSeats(seatsOf(observers, votes, cluster, groupClusters), home);
}

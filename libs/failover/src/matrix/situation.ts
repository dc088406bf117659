import {
  type IdcName,
  type Ms,
  type Seat,
  seatsOf,
  staleAfterMs,
  type Verdict,
  verdictOfSeats,
  type Vote,
} from '#health';
import type { Memory, Policy, Snapshot } from './facts.js';
import { type Fitness, fitnessOf } from './fitness.js';
import { flowBetween, judgeLag, type LagJudgement, readingOf } from './lag.js';
import { medianFields, type MedianFields } from './medians.js';
import { remember } from './remember.js';

export type Member = Readonly<{ name: string; idc: IdcName }>;

/** Everything the rows ask about, derived once from the snapshot. Rows are predicates over this. */
export type Situation = Readonly<{
  snapshot: Snapshot;
  policy: Policy;
  source: Member; // S
  target: Member | null; // T
  seats: Readonly<Record<string, readonly Seat[]>>;
  verdicts: Readonly<Record<string, Verdict>>;
  verdict: Verdict; // on S
  sourceSeats: readonly Seat[];
  own: Vote | null; // vote of S's own IDC on S
  fresh: readonly Vote[]; // F
  medians: MedianFields;
  fitness: Fitness;
  lagNow: LagJudgement;
  heldMs: Ms; // 3p + t: how long some rows must hold before they alert
  memory: Memory; // with this tick's observations
}>;

function membersOf(s: Snapshot): Readonly<{ source: Member; target: Member | null }> {
  const source = s.group.clusters.find((c) => c.name === s.group.active);
  if (source === undefined)
    throw new RangeError(`group ${s.group.name}: active cluster ${s.group.active} is no member`);
  return { source, target: s.group.clusters.find((c) => c.name !== source.name) ?? null };
}

function lagNowOf(s: Snapshot, policy: Policy, source: Member, target: Member | null): LagJudgement {
  const reading = target === null ? null : readingOf(flowBetween(s, source.name, target.name), s.now);
  return judgeLag(reading !== null && s.now - reading.atMs <= policy.lagMaxAgeMs ? reading : null, policy);
}

export function situationOf(snapshot: Snapshot, policy: Policy): Situation {
  const { group, observers, votes } = snapshot;
  const { source, target } = membersOf(snapshot);
  const seats: Record<string, readonly Seat[]> = {};
  const verdicts: Record<string, Verdict> = {};
  for (const c of group.clusters) {
    const here = seatsOf(observers, votes[c.name] ?? {}, c.name, group.clusters);
    seats[c.name] = here;
    verdicts[c.name] = verdictOfSeats(here, c.idc);
  }
  const sourceSeats = seats[source.name] ?? [];
  const verdict = verdicts[source.name] ?? verdictOfSeats([], source.idc);
  const fresh = sourceSeats.filter((s) => verdict.fresh.includes(s.vote.agent)).map((s) => s.vote);
  return {
    snapshot,
    policy,
    source,
    target,
    seats,
    verdicts,
    verdict,
    sourceSeats,
    own: sourceSeats.find((s) => s.own)?.vote ?? null,
    fresh,
    medians: medianFields(fresh),
    fitness:
      target === null
        ? { fit: false, reasons: ['the group has no other cluster'] }
        : fitnessOf(seats[target.name] ?? [], group.rejoin.includes(target.name)),
    lagNow: lagNowOf(snapshot, policy, source, target),
    heldMs: staleAfterMs(snapshot.probe),
    memory: remember(snapshot, policy, sourceSeats, verdict, target?.name ?? null),
  };
}

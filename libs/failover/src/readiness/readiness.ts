import type { ClusterName, Ms } from '#health';
import type { Snapshot } from '../matrix/facts.js';
import { CHECKS } from './checks.js';
import type { Readiness, ReadinessEstimate, ReadinessInput, ReadinessLevel, ReadinessLine, Sides } from './types.js';

const ORDER: readonly ReadinessLevel[] = ['blocker', 'unknown', 'warn', 'ok'];
// From window end to published, measured on the lab (docs/performance.md), rounded up.
const ACT_MS: Ms = 3_000;
const KAFKAS_REBALANCE_DELAY_MS: Ms = 3_000;

/** What stands between a group and a good failover at this instant, each line with what mends it. Pure. */
export function readiness(input: ReadinessInput): Readiness {
  const sides = sidesOf(input.snapshot);
  const found = CHECKS.flatMap((check) =>
    check.look(input, sides).map((line): ReadinessLine => ({ id: check.id, fix: null, ...line })),
  );
  const lines = found.toSorted((x, y) => ORDER.indexOf(x.level) - ORDER.indexOf(y.level));
  return {
    ready: !lines.some((l) => l.level === 'blocker'),
    level: lines[0]?.level ?? 'unknown',
    lines,
    ifItFailedOverNow: estimate(input, sides),
  };
}

export function sidesOf(snapshot: Snapshot): Sides {
  const { active, clusters } = snapshot.group;
  const standby = clusters.find((c) => c.name !== active)?.name ?? null;
  const between = <T extends Readonly<{ from: ClusterName; to: ClusterName }>>(
    all: readonly T[],
    from: ClusterName | null,
    to: ClusterName | null,
  ): T | null => all.find((f) => f.from === from && f.to === to) ?? null;
  return {
    active,
    standby,
    forward: between(snapshot.flows, active, standby),
    back: between(snapshot.flows, standby, active),
    forwardSettings: between(snapshot.flowSettings, active, standby),
    settings: (cluster) => (cluster === null ? null : (snapshot.clusterSettings[cluster] ?? null)),
  };
}

function estimate({ policy, consumers, consumerGroups }: ReadinessInput, sides: Sides): ReadinessEstimate {
  const { forward, standby, active } = sides;
  const windowMs = policy.windows.isolatedMs;
  const lagOf = (cluster: ClusterName | null, group: string): number | null =>
    consumers.find((c) => c.cluster === cluster && c.consumerGroup === group)?.lagRecords ?? null;
  return {
    windowMs,
    rtoMs: windowMs + ACT_MS + (sides.settings(standby)?.initialRebalanceDelayMs ?? KAFKAS_REBALANCE_DELAY_MS),
    rpoRecords: forward?.lagRecords ?? null,
    rpoMs: forward?.lagMs ?? null,
    rereads: consumerGroups.map((consumerGroup) => {
      const there = lagOf(standby, consumerGroup);
      const here = lagOf(active, consumerGroup);
      // Behind on the standby's log, less what it has not read on the active one either. Records still on the way are in
      // neither, so this is an upper bound of what is read twice.
      const records = there === null || here === null ? null : Math.max(0, there - here + (forward?.lagRecords ?? 0));
      return { consumerGroup, records };
    }),
  };
}

import {
  COMBINATIONS,
  decide,
  defaultPolicy,
  type Memory,
  sampleFlow,
  sampleGroup,
  sampleSnapshot,
  sampleVotes,
  type Snapshot,
} from '#failover';
import { median } from '../stats/index.js';
import { cpuMicros, interleave } from './interleave.js';
import { atMost, type Section } from './section.js';

const GROUPS = 200;
const PARTITIONS = 50; // of each group's flow
const PASSES = 40; // over all groups, per visit
const ROUNDS = 10;
const DECIDE_LIMIT_MS = 5;

/** decide() for 200 groups, against writing the same snapshots down. */
export async function benchDecide(): Promise<Section> {
  const snapshots = Array.from({ length: GROUPS }, (_, i) => snapshotOf(i));
  const memories: Memory[] = snapshots.map((s) => s.memory);
  let sink = 0;
  const pass = (work: (snapshot: Snapshot, group: number) => void): number =>
    cpuMicros(() => {
      for (let p = 0; p < PASSES; p += 1) snapshots.forEach(work);
    }) / PASSES;
  const decideAll = (): number =>
    pass((snapshot, group) => {
      const decision = decide({ ...snapshot, memory: memories[group] ?? snapshot.memory }, defaultPolicy);
      memories[group] = decision.nextMemory;
      sink += decision.row ?? 0;
    });
  const writeAll = (): number =>
    pass((snapshot) => {
      sink += JSON.stringify(snapshot).length;
    });
  const cost = await interleave(decideAll, writeAll, ROUNDS);
  const decideMs = median(cost.a) / 1_000;
  const floorMs = median(cost.b) / 1_000;
  const ratio = decideMs / floorMs;
  const us = (ms: number): string => `${((ms * 1_000) / GROUPS).toFixed(1)} µs`;
  return {
    name: 'decide',
    about:
      `decide() over ${GROUPS} groups of ${PARTITIONS} partitions, one in ten in trouble; floor: JSON.stringify of the same ` +
      'snapshots, which touches every value once in the engine’s own code and is what recording a decision costs anyway',
    figures: [
      { what: 'one snapshot', value: us(decideMs), floor: us(floorMs), ratio, goal: '', verdict: '' },
      atMost({
        what: `${GROUPS} groups`,
        value: `${decideMs.toFixed(2)} ms`,
        measured: decideMs,
        limit: DECIDE_LIMIT_MS,
        goal: `≤ ${DECIDE_LIMIT_MS} ms`,
      }),
    ],
    brokenGates: [],
    data: { decideMs: cost.a.map((us1) => us1 / 1_000), floorMs: cost.b.map((us1) => us1 / 1_000), checksum: sink },
  };
}

/** Nine in ten groups are in order; the others go through the combinations of votes that the tables are checked with. */
function snapshotOf(i: number): Snapshot {
  const perPartition = Array.from({ length: PARTITIONS }, (_, partition) => ({
    topic: 'orders',
    partition,
    sourceEnd: 1_000_000 + partition,
    replicated: 999_990 + partition,
    sourceEndAgeMs: 900,
    replicatedAgeMs: 1_000,
  }));
  const shapes = i % 10 === 0 ? COMBINATIONS[(i * 7) % COMBINATIONS.length] : undefined;
  const up = { a: 'up', b: 'up', c: 'up' } as const;
  return sampleSnapshot({
    group: sampleGroup({ name: `group-${i}` }),
    flows: [sampleFlow({ perPartition })],
    votes: { a: sampleVotes(shapes ?? up, 25_000), b: sampleVotes(up) },
  });
}

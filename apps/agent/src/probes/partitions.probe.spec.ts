import { describe, expect, it } from 'vitest';
import type { ClusterLayout, ConfigTable, PartitionLayout } from '#kafka';
import { canaryTargets } from './canary.probe.js';
import { durabilityOf, spread } from './canary-topic.js';
import { movedParts } from './end-offsets.probe.js';
import { countPartitions } from './partitions.probe.js';

const layout = (topics: Readonly<Record<string, readonly PartitionLayout[]>>): ClusterLayout => ({
  clusterId: 'c',
  brokers: [1, 2, 3].map((id) => ({ id, address: `h:${id}` })),
  topics: new Map(
    Object.entries(topics).map(([name, partitions]) => [name, { name, internal: false, errorCode: 0, partitions }]),
  ),
});
const p = (
  partition: number,
  leader: number,
  replicas: readonly number[],
  isr: readonly number[],
): PartitionLayout => ({
  partition,
  leader,
  replicas,
  isr,
});
const minIsr = (values: Readonly<Record<string, number>>): ConfigTable =>
  new Map(
    Object.entries(values).map(([t, v]) => [t, new Map([['min.insync.replicas', { value: String(v), set: true }]])]),
  );

describe('countPartitions', () => {
  it('counts the group apart from the rest, by each topic own min ISR', () => {
    const seen = layout({
      orders: [p(0, 1, [1, 2, 3], [1, 2, 3]), p(1, -1, [1, 2, 3], []), p(2, 1, [1, 2, 3], [1])],
      other: [p(0, 2, [2], [2]), p(1, 2, [2, 3], [2])],
    });
    const counts = countPartitions(seen, (t) => t === 'orders', minIsr({ orders: 2, other: 2 }));
    expect(counts.hotStandby).toEqual({ total: 3, offline: 1, underReplicated: 2, underMinIsr: 2 });
    // A min ISR above the number of replicas means all of them.
    expect(counts.otherTopics).toEqual({ total: 2, offline: 0, underReplicated: 1, underMinIsr: 1 });
  });
});

describe('the canary topic', () => {
  it('takes the lowest replication factor and the highest min ISR of the group, never more than can be', () => {
    const seen = layout({ x: [p(0, 1, [1, 2, 3], [1, 2, 3])], y: [p(0, 1, [1, 2], [1, 2])] });
    expect(durabilityOf(seen, minIsr({ x: 3, y: 1 }), () => true)).toEqual({ replicationFactor: 2, minIsr: 2 });
    expect(durabilityOf(seen, new Map(), () => false)).toEqual({ replicationFactor: 3, minIsr: 2 });
  });

  it('puts a leader on each broker and the copies on its neighbours', () => {
    expect(spread([3, 1, 2], [1, 2, 3], 2)).toEqual([
      [1, 2],
      [2, 3],
      [3, 1],
    ]);
  });

  it('samples one partition for each broker that leads one, and nobody for a leaderless one', () => {
    const seen = layout({ 'pointsman-canary': [p(0, 1, [1], [1]), p(1, -1, [2], []), p(2, 1, [3, 1], [1])] });
    expect(canaryTargets(seen)).toEqual([{ brokerId: 1, partition: 0 }]);
  });
});

describe('movedParts', () => {
  it('asks again only what another leader was asked, or nobody', () => {
    const asked = new Map([[1, new Map([['t', [0, 1]]])]]);
    const now = new Map([
      [1, new Map([['t', [0]]])],
      [
        2,
        new Map([
          ['t', [1]],
          ['u', [0]],
        ]),
      ],
    ]);
    expect(movedParts(asked, now)).toEqual(
      new Map([
        [
          2,
          new Map([
            ['t', [1]],
            ['u', [0]],
          ]),
        ],
      ]),
    );
    expect(movedParts(now, now).size).toBe(0);
  });
});

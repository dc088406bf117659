import { describe, expect, it } from 'vitest';
import type { TopicSettings } from '../matrix/facts.js';
import { sampleFlow } from '../simulate/sample-snapshot.js';
import { sizeRetentionLines } from './size-retention.js';

const MIB = 1024 ** 2;
const LATE_MS = 90_000;

const topic = (over: Partial<TopicSettings>): TopicSettings => ({
  ...{ topic: 'orders', partitions: 20, replicationFactor: 3, minIsr: 2 },
  ...{ maxMessageBytes: MIB, retentionMs: -1, retentionBytes: -1 },
  ...over,
});
/** By how many records the copy of this partition is behind; null: not known. */
const behind = (records: number | null, partition = 0, name = 'orders') => ({
  ...{ topic: name, partition, sourceEnd: 100, sourceEndAgeMs: 0, replicatedAgeMs: 0 },
  replicated: records === null ? null : 100 - records,
});

function lines(topics: readonly TopicSettings[], perPartition: readonly ReturnType<typeof behind>[], lagMs = LATE_MS) {
  const settings = { brokerSessionTimeoutMs: 9_000, electionTimeoutMs: 1_000, topics };
  return sizeRetentionLines({
    ...{ active: 'a', standby: 'b', back: null, forwardSettings: null, settings: () => settings },
    forward: sampleFlow({ lagMs, perPartition }),
  });
}

describe('retention by size against what is not copied yet', () => {
  it.each([
    ['without a limit of size', { retentionBytes: -1 }, [90], []],
    ['whose limit is not seen', { retentionBytes: null }, [90], []],
    ['that is copied', { retentionBytes: 0 }, [0], []],
    ['of whose copy nothing is known', { retentionBytes: 0 }, [null], []],
    ['that keeps more than what is not copied may be', { retentionBytes: 91 * MIB }, [3, 90], ['ok']],
    ['that is fenced', { retentionBytes: 91 * MIB, maxMessageBytes: 1 }, [90], ['unknown']],
    ['that keeps just as much', { retentionBytes: 90 * MIB }, [3, 90], ['warn']],
  ] as const)('judges a topic %s', (_, over, records, levels) => {
    const found = lines(
      [topic(over)],
      records.map((n, i) => behind(n, i)),
    );
    expect(found.map((l) => l.level)).toEqual(levels);
  });

  it('says nothing while the copy is less than a minute behind', () => {
    const levels = (lagMs: number) => lines([topic({ retentionBytes: 0 })], [behind(90)], lagMs).map((l) => l.level);
    expect([levels(59_000), levels(60_000)]).toEqual([[], ['warn']]);
  });

  it('tells of a topic that is over its limit before one of which nothing is known', () => {
    const unseen = topic({ topic: 'pay', retentionBytes: 10 * MIB, maxMessageBytes: null });
    const found = lines([topic({ retentionBytes: 10 * MIB }), unseen], [behind(20), behind(1, 0, 'pay')]);
    expect(found).toMatchObject([{ level: 'warn', what: expect.stringContaining('orders keeps') as string }]);
  });
});

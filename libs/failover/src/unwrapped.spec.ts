import { describe, expect, it } from 'vitest';
import type { ConnectorState, SnapshotFlow } from './matrix/facts.js';
import { sampleFlow, sampleSnapshot } from './simulate/sample-snapshot.js';
import { consumerAt, strayWrites, unwrappedConsumers, type ConsumerSign } from './unwrapped.js';

const sign = (over: Partial<ConsumerSign>): ConsumerSign => ({
  cluster: 'a',
  consumerGroup: 'billing',
  committedAgeMs: null,
  ...over,
});

describe('an unwrapped consumer', () => {
  it.each([
    [{ committedAgeMs: 29_000 }, 1],
    [{ committedAgeMs: 31_000 }, 0],
    [{ committedAgeMs: 31_000, members: 2 }, 1], // it has read everything, and waits for more
    [{ members: 0 }, 0],
    [{}, 0],
  ])('%j: %i', (over, found) => {
    expect(unwrappedConsumers([sign(over)], new Set())).toHaveLength(found);
  });

  it('is not one that says of itself that it reads there', () => {
    const signs = [sign({ members: 1 }), sign({ members: 1, cluster: 'b' })];
    expect(unwrappedConsumers(signs, new Set([consumerAt('b', 'billing')]))).toEqual([signs[0]]);
  });
});

describe('a cluster that is not active and grows', () => {
  const after = (into: ConnectorState, over: Partial<SnapshotFlow> = {}, naming: 'identity' | 'default' = 'identity') =>
    sampleSnapshot({
      flows: [
        { ...sampleFlow({ from: 'a', to: 'b', sourceGrewAgeMs: 1_000, ...over }), naming },
        { ...sampleFlow({ from: 'b', to: 'a', sourceConnector: into }), naming },
      ],
    });

  it('is written by somebody, where nothing is copied there', () => {
    expect(strayWrites(after('STOPPED'), 'b', 30_000)).toEqual([{ cluster: 'a', ageMs: 1_000 }]);
    expect(strayWrites(after('STOPPED'), 'b', 900)).toEqual([]);
    expect(strayWrites(after('STOPPED'), 'a', 30_000)).toEqual([]);
  });

  it('says nothing while MirrorMaker copies there, or may, unless copies have a name of their own', () => {
    expect(strayWrites(after('RUNNING'), 'b', 30_000)).toEqual([]);
    expect(strayWrites(after('UNKNOWN'), 'b', 30_000)).toEqual([]);
    expect(strayWrites(after('RUNNING', {}, 'default'), 'b', 30_000)).toHaveLength(1);
  });
});

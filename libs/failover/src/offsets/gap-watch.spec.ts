import { describe, expect, it } from 'vitest';
import { PartitionGapWatch, type FoundGap, type GapLook } from './gap-watch.js';

const look = (over: Partial<GapLook> = {}): GapLook => ({
  topicId: 'one',
  start: 0,
  copied: 100,
  targetStart: 0,
  ...over,
});
const told = ({ found }: PartitionGapWatch): readonly Omit<FoundGap, 'foundAtWallMs'>[] =>
  found.map(({ kind, from, to, records, downstream }) => ({ kind, from, to, records, downstream }));

/** A hundred records copied one to one, and looked at. */
function copying(): PartitionGapWatch {
  const watch = new PartitionGapWatch();
  for (let u = 0; u < 100; u += 10) watch.note(u, u);
  watch.note(99, 99);
  watch.look(look(), 1);
  return watch;
}

describe('a copy', () => {
  it('that goes on without holes has none, and neither has one over markers, compaction or retention', () => {
    const watch = copying();
    watch.note(103, 102); // a marker, or a record that compaction took
    watch.look(look({ copied: 104, start: 50 }), 2);
    watch.note(104, 103);
    watch.look(look({ copied: 105, start: 105 }), 3); // retention behind the copy
    expect(told(watch)).toEqual([]);
  });

  it('of which nothing was ever made has no gap: what was gone before is no loss of its', () => {
    const watch = new PartitionGapWatch();
    watch.look(look({ copied: null, start: 500 }), 1);
    watch.note(500, 0);
    watch.look(look({ copied: 501, start: 500 }), 2);
    expect(told(watch)).toEqual([]);
  });
});

describe('records that are purged before they are copied', () => {
  it('are counted while the flow stands, the more the more are purged, and placed when it goes on', () => {
    const watch = copying();
    watch.look(look({ start: 130 }), 2);
    watch.look(look({ start: 160 }), 3);
    expect(told(watch)).toEqual([{ kind: 'purged', from: 100, to: 160, records: 60, downstream: null }]);
    watch.note(160, 100);
    watch.look(look({ start: 160, copied: 161 }), 4);
    expect(told(watch)).toEqual([{ kind: 'purged', from: 100, to: 160, records: 60, downstream: 100 }]);
    expect(watch.found[0]?.foundAtWallMs).toBe(2);
  });

  it('are found under a running flow too: the syncs jump, and what they jumped over is gone', () => {
    const watch = copying();
    watch.note(160, 100);
    watch.note(170, 109); // a marker later
    watch.look(look({ start: 160, copied: 171 }), 2);
    expect(told(watch)).toEqual([{ kind: 'purged', from: 100, to: 160, records: 60, downstream: 100 }]);
  });

  it('are told until nobody can read across the place any more', () => {
    const watch = copying();
    watch.look(look({ start: 160 }), 2);
    watch.note(160, 100);
    watch.look(look({ start: 160, copied: 200, targetStart: 100 }), 3);
    expect(told(watch)).toHaveLength(1);
    watch.look(look({ start: 160, copied: 200, targetStart: 101 }), 4);
    expect(told(watch)).toEqual([]);
  });
});

describe('a topic that is made anew', () => {
  it('and copied from its first record lacks nothing, and is told: its records stand behind the old ones', () => {
    const watch = copying();
    watch.look(look({ topicId: 'two' }), 2);
    expect(told(watch)).toEqual([{ kind: 'recreated', from: 0, to: 100, records: null, downstream: null }]);
    watch.note(0, 100);
    watch.look(look({ topicId: 'two', copied: 1 }), 3);
    expect(told(watch)).toEqual([{ kind: 'recreated', from: 0, to: 0, records: 0, downstream: 100 }]);
  });

  it('is found too when the copy was faster than the look', () => {
    const watch = copying();
    watch.note(0, 100);
    watch.look(look({ topicId: 'two', copied: 1 }), 2);
    expect(told(watch)).toEqual([{ kind: 'recreated', from: 0, to: 0, records: 0, downstream: 100 }]);
  });

  it('and grows past the old position at once lacks all before it: MirrorMaker simply goes on', () => {
    const watch = copying();
    watch.look(look({ topicId: 'two' }), 2);
    watch.note(105, 105); // of 300 new ones
    expect(told(watch)).toEqual([{ kind: 'recreated', from: 0, to: 100, records: 100, downstream: 105 }]);
  });
});

describe('a flow that lost its position', () => {
  it('copies everything twice', () => {
    const watch = copying();
    watch.note(0, 100);
    watch.look(look({ copied: 1 }), 2);
    expect(told(watch)).toEqual([{ kind: 'recopied', from: 0, to: 100, records: 100, downstream: 100 }]);
  });

  it('by a crash only, goes back a little: that is no gap', () => {
    const watch = copying();
    watch.note(90, 100);
    watch.look(look({ copied: 91 }), 2);
    expect(told(watch)).toEqual([]);
  });

  it('before anybody watched is compared with nothing either', () => {
    const watch = new PartitionGapWatch();
    for (const [u, d] of [
      [50, 50],
      [0, 51],
      [400, 60],
    ] as const)
      watch.note(u, d);
    watch.settle();
    watch.look(look({ start: 390, copied: 401 }), 1);
    expect(told(watch)).toEqual([]);
    watch.note(500, 100);
    watch.look(look({ start: 500, copied: 501 }), 2);
    expect(told(watch)).toMatchObject([{ kind: 'purged', records: 60 }]);
  });

  it('or was seeded by us, is compared with nothing before', () => {
    const watch = copying();
    watch.split();
    watch.note(900, 100);
    watch.look(look({ topicId: 'two', start: 900, copied: 901 }), 2);
    expect(told(watch)).toEqual([]);
  });
});

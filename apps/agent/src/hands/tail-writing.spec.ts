import { beforeEach, describe, expect, it } from 'vitest';
import { tailTopic, type TailCommand } from '#failover';
import type { LogRecord } from '#kafka';
import { exportToTopicWork } from './export-tail.hand.js';
import { FakeLog } from './fake-log.spec-helper.js';
import { originOf, withOrigin } from './origin.js';
import { replayTailWork } from './replay-tail.hand.js';
import type { TailWork } from './tail-job.js';

const ORDERS = { topic: 'orders', partition: 0 };
const QUARANTINE = { topic: tailTopic('shop'), partition: 0 };
const EXPORT = { kind: 'export_tail', from: 'a', to: 'b', destination: 'topic' } as const;
const REPLAY = {
  kind: 'replay_tail',
  from: 'a',
  to: 'b',
  strategy: 'last-write-wins',
  priority: [],
  since: [],
} as const;

let a: FakeLog;
let b: FakeLog;
beforeEach(() => {
  [a, b] = [new FakeLog(), new FakeLog()];
  a.fill(ORDERS, span(10, 20).map(record));
  b.fill(ORDERS, []);
});

const span = (from: number, to: number): readonly number[] => Array.from({ length: to - from }, (_, i) => from + i);
const record = (offset: number): LogRecord => ({
  ...{ offset, timestampMs: offset, appendTime: false, headers: [] },
  ...{ key: Buffer.from(`k${offset}`), value: Buffer.from(`v${offset}`) },
});
const ranges = [{ ...ORDERS, from: 10, to: 20 }];
const side = (log: FakeLog) => ({ hands: log.hands, log });
const exporting = (): TailWork => exportToTopicWork(side(a), side(b), 'shop', { ...EXPORT, ranges });
const replaying = (): TailWork =>
  replayTailWork(side(a), side(b), { ...REPLAY, ranges } satisfies TailCommand, () => Promise.resolve(null));
const run = (work: TailWork) => work.run(AbortSignal.timeout(10_000), () => undefined);
const origins = (records: readonly LogRecord[]) => records.map((r) => originOf(r)?.offset);

describe.each([
  ['export', exporting, QUARANTINE],
  ['replay', replaying, ORDERS],
] as const)('%s to a log whose follower has just died', (_, work, place) => {
  it('is not acknowledged in time, and writes once all the same', async () => {
    b.stalls = true;
    await expect(run(work())).rejects.toThrow('not acknowledged');

    expect(b.of(place)).not.toEqual([]);
    expect(await b.hands.offsets([place.topic], 'end', 1_000)).toEqual([{ ...place, offset: 0 }]);
    b.stalls = false;
    await run(work());
    expect(origins(b.of(place))).toEqual(span(10, 20));
  });
});

describe.each([
  ['export', exporting, QUARANTINE],
  ['replay', replaying, ORDERS],
] as const)('%s of a tail of a cluster that was rebuilt, so that its offsets began again', (_, work, place) => {
  const former = (offset: number, topicId: string | null): LogRecord => ({
    ...record(0),
    ...withOrigin({ cluster: 'a', ...ORDERS, offset, topicId }, { ...record(offset), key: null }),
  });

  it.each([
    ['beyond the range', 5_000, null],
    ['before the range', 9, null],
    ['inside the range, of the former topic', 14, 'former'],
  ] as const)('writes all of it beside a record from %s', async (_where, offset, topicId) => {
    a.topicIds.set('orders', 'present');
    b.fill(place, [former(offset, topicId)]);
    const writing = work();
    await run(writing);
    expect(writing.progress()).toMatchObject({ written: 10, present: 0, progress: { finished: true, done: 10 } });
    expect(origins(b.of(place))).toEqual([offset, ...span(10, 20)]);
    const again = work();
    await run(again);
    expect(again.progress()).toMatchObject({ written: 0, present: 10 });
  });

  it('goes on behind what an older agent wrote, which says nothing of the topic', async () => {
    a.topicIds.set('orders', 'present');
    b.fill(
      place,
      span(10, 14).map((offset) => ({ ...former(offset, null), offset: offset - 10 })),
    );
    const writing = work();
    await run(writing);
    expect(writing.progress()).toMatchObject({ written: 6, present: 4 });
  });
});

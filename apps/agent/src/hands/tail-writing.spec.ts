import { beforeEach, describe, expect, it } from 'vitest';
import { tailTopic, type TailCommand } from '#failover';
import type { LogRecord } from '#kafka';
import { exportToTopicWork } from './export-tail.hand.js';
import { FakeLog } from './fake-log.spec-helper.js';
import { originOf } from './origin.js';
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

import { decodeHistory, encodeHistory, SyncHistory, translateForward } from '#failover';
import { encodeOffsetSync, OffsetSyncDecoder } from '#kafka';
import { median } from '../stats/index.js';
import { cpuMicros, interleave } from './interleave.js';
import { Mm2SyncStore, type Sync } from './mm2-sync-store.js';
import { atMost, type Section, told } from './section.js';

const PARTITIONS = 20;
const SYNCS = 50_000; // of each partition: at the bound of a history, none left out
const LOOKUPS = 200_000;
const ROUNDS = 6;
const LOAD_GOAL_S = 5; // for ten million

/** A transactional source: one to nine records, then a marker; MirrorMaker writes a sync at every jump. */
function logOf(syncs: number): readonly Sync[] {
  const list: Sync[] = [];
  let up = 0;
  let down = 0;
  for (let i = 0; i < syncs; i += 1) {
    list.push({ up, down });
    const size = 1 + ((i * 7) % 9);
    up += size + 1;
    down += size;
  }
  return list;
}

/** The history of syncs: what a look-up costs, what it holds, and what it spares a group that lags. */
export async function benchOffsets(): Promise<Section> {
  const log = logOf(SYNCS);
  const wire = log.map((s) => encodeOffsetSync({ topic: 'orders', partition: 0, upstream: s.up, downstream: s.down }));
  const fill = (): SyncHistory => {
    const history = new SyncHistory();
    for (const s of log) history.note(s.up, s.down);
    return history;
  };
  const before = process.memoryUsage();
  const kept = Array.from({ length: PARTITIONS }, fill);
  const after = process.memoryUsage();
  const pairs = kept.reduce((sum, h) => sum + h.size, 0);
  const bytesPerSync = (after.arrayBuffers - before.arrayBuffers) / pairs;
  const [history] = kept;
  if (history === undefined) throw new Error('no history was made');

  let sink = 0;
  const end = log.at(-1)?.up ?? 1;
  const lookUp = (): number =>
    cpuMicros(() => {
      for (let i = 0; i < LOOKUPS; i += 1) sink += translateForward(history, (i * 7_919) % end).offset ?? 0;
    }) / LOOKUPS;
  const sorted = Float64Array.from(log, (s) => s.up);
  const search = (): number =>
    cpuMicros(() => {
      for (let i = 0; i < LOOKUPS; i += 1) sink += floor(sorted, (i * 7_919) % end);
    }) / LOOKUPS;
  const look = await interleave(lookUp, search, ROUNDS);

  const decoder = new OffsetSyncDecoder();
  const load = (): number =>
    cpuMicros(() => {
      const fresh = new SyncHistory();
      for (const { key, value } of wire) {
        const { upstream, downstream } = decoder.decode(key, value);
        fresh.note(upstream, downstream);
      }
      sink += fresh.size;
    }) / SYNCS;
  const stored = encodeHistory(history);
  const restore = (): number => cpuMicros(() => (sink += decodeHistory(stored).size)) / SYNCS;
  const loading = await interleave(load, restore, ROUNDS);
  const [lookUs, searchUs] = [median(look.a), median(look.b)];
  const [loadUs, restoreUs] = [median(loading.a), median(loading.b)];
  const again = rereads(log, history);
  const ratio = again.ours / Math.max(1, again.mm2);
  return {
    name: 'offsets',
    about:
      `${PARTITIONS} partitions of a transactional log with ${SYNCS} syncs each; a look-up is held against a binary search in one ` +
      'sorted Float64Array of the same syncs, re-read records against MirrorMaker’s own store of 64 syncs on the same log',
    figures: [
      atMost({
        what: 'one look-up',
        value: `${lookUs.toFixed(2)} µs`,
        floor: `${searchUs.toFixed(2)} µs`,
        measured: lookUs,
        limit: 1,
        goal: '≤ 1 µs',
      }),
      atMost({
        what: 'ten million syncs, from the wire',
        value: `${(loadUs * 10).toFixed(1)} s`,
        measured: loadUs * 10,
        limit: LOAD_GOAL_S,
        goal: `≤ ${LOAD_GOAL_S} s`,
      }),
      told('ten million syncs, from the agent’s disk', `${(restoreUs * 10).toFixed(1)} s`),
      atMost({
        what: 'memory of a sync that is kept',
        value: `${bytesPerSync.toFixed(1)} B`,
        measured: bytesPerSync,
        limit: 16,
        goal: '≤ 16 B',
      }),
      atMost({
        what: `records re-read, ${again.groups} groups at every hundredth of the log`,
        value: String(again.ours),
        floor: String(again.mm2),
        measured: ratio,
        limit: 0.01,
        goal: '≤ 1/100',
      }),
    ],
    brokenGates: again.skipped === 0 ? [] : [`${again.skipped} groups would skip records`],
    data: {
      lookUs: look.a,
      searchUs: look.b,
      loadUs: loading.a,
      restoreUs: loading.b,
      bytesPerSync,
      again,
      checksum: sink,
    },
  };
}

/** Groups at every hundredth of the log. The truth: records lie one after the other from each sync on. */
function rereads(log: readonly Sync[], history: SyncHistory) {
  const store = new Mm2SyncStore();
  for (const sync of log) store.note(sync);
  let ours = 0;
  let mm2 = 0;
  let skipped = 0;
  let groups = 0;
  for (let share = 1; share < 100; share += 1) {
    const index = Math.floor((log.length * share) / 100);
    const at = log[index];
    const next = log[index + 1];
    if (at === undefined || next === undefined) continue;
    groups += 1;
    const inside = Math.floor((next.down - at.down) / 2); // in the middle of a transaction
    const truth = at.down + inside;
    const place = translateForward(history, at.up + inside).offset ?? 0;
    if (place > truth) skipped += 1;
    ours += truth - place;
    mm2 += truth - (store.translate(at.up + inside) ?? 0);
  }
  return { ours, mm2, skipped, groups };
}

function floor(sorted: Float64Array, wanted: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((sorted[middle] ?? 0) <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
}

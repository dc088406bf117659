import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { translateForward } from '#failover';
import { onSmallDisk } from '../small-disk.spec-helper.js';
import { SyncBook, type SyncEntry } from './sync-book.js';
import { NO_FACTS, SyncFile, type SyncFacts } from './sync-file.js';

const FACTS: SyncFacts = { syncsTopicId: 'id-1', epoch: 4, sourceIds: { orders: 'x' }, targetIds: {} };
const entry = (upstream: number, downstream: number, topic = 'orders', partition = 0): SyncEntry => ({
  topic,
  partition,
  upstream,
  downstream,
});

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'syncs-'));
  path = join(folder, 'a~b.syncs');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function readings(file: SyncFile, book: SyncBook, ...batches: readonly (readonly SyncEntry[])[]): Promise<void> {
  for (const batch of batches) {
    for (const e of batch) book.note(e);
    book.cursor += batch.length;
    book.endBatch(false);
    await file.append(batch, book.cursor);
  }
}

async function written(): Promise<SyncBook> {
  const file = new SyncFile(path);
  const book = new SyncBook();
  expect(await file.load(book)).toBeNull();
  book.note(entry(0, 0));
  book.cursor = 1;
  await file.snapshot(book, FACTS);
  await readings(file, book, [entry(10, 8), entry(20, 15, 'pay', 3)], [entry(30, 25), entry(40, 30)]);
  await file.close();
  return book;
}

async function loaded(): Promise<Readonly<{ book: SyncBook; facts: SyncFacts | null; file: SyncFile }>> {
  const file = new SyncFile(path);
  const book = new SyncBook();
  return { book, facts: await file.load(book), file };
}

const answers = (book: SyncBook) =>
  [5, 10, 12, 30, 35].map((u) => {
    const history = book.history('orders', 0);
    return history === null ? null : translateForward(history, u);
  });

describe('syncs on disk', () => {
  it('come back with their cursor, their facts and their answers', async () => {
    const before = await written();
    const { book, facts } = await loaded();
    expect(facts).toEqual(FACTS);
    expect([book.cursor, book.noted, book.pairs]).toEqual([before.cursor, before.noted, before.pairs]);
    expect(answers(book)).toEqual(answers(before));
    expect(book.history('pay', 3)?.size).toBe(1);
  });

  it.each([1, 5, 30, 55])(
    'end at the last whole reading when %i bytes are torn off, and go on behind it',
    async (torn) => {
      await written();
      truncateSync(path, readFileSync(path).length - torn);
      const { book, file } = await loaded();
      expect(book.cursor).toBe(3); // the second reading is read from the topic again
      await readings(file, book, [entry(30, 25), entry(40, 30)]);
      await file.close();
      expect(answers((await loaded()).book)).toEqual(answers(await written2()));
    },
  );

  it('stop at a reading whose bytes rotted, and take nothing of it', async () => {
    await written();
    const bytes = readFileSync(path);
    bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 0xff;
    writeFileSync(path, bytes);
    expect((await loaded()).book.cursor).toBe(3);
  });

  it('are not taken from a file of another kind', async () => {
    appendFileSync(path, '{"version":1}');
    expect((await loaded()).facts).toBeNull();
  });

  it('lose no reading to a disk that is full for a while: it is told, and the next one is kept as a snapshot', async () => {
    const module = new URL('./sync-file.ts', import.meta.url);
    const told = await onSmallDisk(folder, module, 4_096, fullForAWhile(path));
    expect(told).toEqual([...['EFBIG', 'a snapshot, please', 'EFBIG', 'a snapshot, please'], ...['kept', 'appended']]);
    const { book, facts } = await loaded();
    expect(facts).toEqual(FACTS);
    expect(book.cursor).toBe(1_003);
  });

  it('ask for a new snapshot when what was appended outgrows it, and it holds the same', async () => {
    const file = new SyncFile(path);
    const book = new SyncBook();
    await file.snapshot(book, NO_FACTS);
    const batch = Array.from({ length: 200_000 }, (_, i) => entry(i * 11, i * 10));
    for (const e of batch) book.note(e);
    book.cursor = batch.length;
    book.endBatch(false);
    expect(await file.append(batch, book.cursor)).toBe(true);
    await file.snapshot(book, FACTS);
    await file.close();
    const again = await loaded();
    expect(again.book.pairs).toBe(book.pairs);
    expect(again.book.cursor).toBe(200_000);
  });
});

/** Readings of 24 bytes each, and a book of which the file needs only this. */
const fullForAWhile = (at: string): string => `
  import { SyncFile } from './module.js';
  const file = new SyncFile(${JSON.stringify(at)});
  const book = (cursor, bytes) =>
    ({ cursor, noted: cursor, stored: () => bytes === 0 ? [] : [{ topic: 'orders', partition: 0, bytes: Buffer.alloc(bytes) }] });
  const entries = (count) => Array.from({ length: count }, (_, i) => ({ topic: 'orders', partition: 0, upstream: i, downstream: i }));
  const facts = ${JSON.stringify(FACTS)};
  const snapshot = (cursor, bytes) => file.snapshot(book(cursor, bytes), facts).then(() => 'kept', (error) => error.code);
  const append = (count, cursor) => file.append(entries(count), cursor)
    .then((due) => due ? 'a snapshot, please' : 'appended', (error) => error.code);
  await snapshot(1, 0);
  await append(1, 2);
  const told = [await append(1_000, 1_002), await append(1, 1_003), await snapshot(1_003, 5_000), await append(1, 1_004)];
  told.push(await snapshot(1_002, 0), await append(1, 1_003));
  await file.close();
  console.log(JSON.stringify(told));
`;

async function written2(): Promise<SyncBook> {
  rmSync(path);
  return written();
}

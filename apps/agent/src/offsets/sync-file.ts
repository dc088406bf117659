import { open, mkdir, readFile, rename, truncate, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import type { KeptGap } from './gap-look.js';
import type { SyncBook, SyncEntry } from './sync-book.js';

/**
 * One flow's syncs on disk: a snapshot, then every reading since, each in a frame with its length and checksum. A frame
 * holds the syncs *and* how far they go, so a torn or lost tail only means that the topic is read again from there.
 */

/** Facts that must agree with the world before the file may be believed; kept in the snapshot. */
export type SyncFacts = Readonly<{
  syncsTopicId: string | null;
  epoch: number | null; // of the group, at the last reading
  sourceIds: Readonly<Record<string, string>>; // topic → id
  targetIds: Readonly<Record<string, string>>; // source topic → id of its copy
  gaps?: readonly KeptGap[]; // absent in files of older agents
}>;
export const NO_FACTS: SyncFacts = { syncsTopicId: null, epoch: null, sourceIds: {}, targetIds: {} };

const MAGIC = Buffer.from('PMSYNC01');
const FRAME_HEAD = 8; // length, crc32
const ENTRY = 24; // topic, partition, U, D
const MAX_FRAME = 256 * 1024 * 1024;
const SNAPSHOT = 1;
const SYNCS = 2;
const COMPACT_AFTER_BYTES = 4 * 1024 * 1024;

type SnapshotHead = Readonly<{
  cursor: number;
  noted: number;
  facts: SyncFacts;
  histories: readonly Readonly<{ topic: string; partition: number; size: number }>[];
}>;

export class SyncFile {
  readonly #path: string;
  #topics: string[] = [];
  readonly #indexes = new Map<string, number>();
  #snapshotBytes = 0;
  #appendedBytes = 0;
  #file: FileHandle | null = null;
  /** A write failed: the file lacks what the book has by now, and may end torn. Only a snapshot mends both. */
  #lacks = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Fills the book with what is readable. Facts are null when there was nothing, or nothing that can be understood. */
  async load(book: SyncBook): Promise<SyncFacts | null> {
    await mkdir(dirname(this.#path), { recursive: true });
    const bytes = await readIfThere(this.#path);
    if (bytes === null || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return null;
    let facts: SyncFacts | null = null;
    let at = MAGIC.length;
    for (;;) {
      const frame = frameAt(bytes, at);
      if (frame === null) break;
      if (frame[0] === SNAPSHOT) facts = this.#readSnapshot(frame.subarray(1), book);
      else if (facts !== null && frame[0] === SYNCS) this.#readSyncs(frame.subarray(1), book);
      at += FRAME_HEAD + frame.length;
    }
    if (at < bytes.length) await truncate(this.#path, at); // a torn tail must not hide what is appended behind it
    this.#appendedBytes = at;
    return facts;
  }

  /** @returns whether it is time for a new snapshot; behind a write that failed nothing is appended before there is one. */
  async append(entries: readonly SyncEntry[], cursor: number): Promise<boolean> {
    if (this.#lacks) return true;
    this.#lacks = true;
    this.#file ??= await open(this.#path, 'a', 0o600);
    const bytes = framed(SYNCS, this.#encodeSyncs(entries, cursor));
    await this.#file.writeFile(bytes); // all of them or an error, unlike one write
    this.#lacks = false;
    this.#appendedBytes += bytes.length;
    return this.#appendedBytes > Math.max(COMPACT_AFTER_BYTES, 2 * this.#snapshotBytes);
  }

  /** Replaces the whole file: the old or the new one after a crash, never a mixture. */
  async snapshot(book: SyncBook, facts: SyncFacts): Promise<void> {
    this.#lacks = true;
    await mkdir(dirname(this.#path), { recursive: true });
    const histories = [...book.stored()];
    const head: SnapshotHead = {
      cursor: book.cursor,
      noted: book.noted,
      facts,
      histories: histories.map((h) => ({ topic: h.topic, partition: h.partition, size: h.bytes.length })),
    };
    const json = Buffer.from(JSON.stringify(head));
    const size = Buffer.alloc(4);
    size.writeUInt32BE(json.length);
    const bytes = framed(SNAPSHOT, Buffer.concat([size, json, ...histories.map((h) => h.bytes)]));
    const next = `${this.#path}.next`;
    const file = await open(next, 'w', 0o600);
    try {
      await file.writeFile(MAGIC);
      await file.writeFile(bytes); // behind the magic: a handle writes where it stands
      await file.sync();
    } finally {
      await file.close();
    }
    await this.close();
    await rename(next, this.#path);
    this.#lacks = false;
    this.#learnTopics(histories.map((h) => h.topic));
    this.#snapshotBytes = bytes.length;
    this.#appendedBytes = 0;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  #readSnapshot(frame: Buffer, book: SyncBook): SyncFacts {
    const headSize = frame.readUInt32BE(0);
    const head = JSON.parse(frame.subarray(4, 4 + headSize).toString('utf8')) as SnapshotHead; // behind its checksum: written by us
    let at = 4 + headSize;
    book.clear();
    for (const { topic, partition, size } of head.histories) {
      book.restore({ topic, partition, bytes: frame.subarray(at, at + size) });
      at += size;
    }
    book.cursor = head.cursor;
    book.noted = head.noted;
    this.#learnTopics(head.histories.map((h) => h.topic));
    this.#snapshotBytes = frame.length;
    return head.facts;
  }

  /** Topics are numbered in the order in which the file names them first. */
  #learnTopics(topics: readonly string[]): void {
    this.#topics = [...new Set(topics)];
    this.#indexes.clear();
    this.#topics.forEach((topic, index) => this.#indexes.set(topic, index));
  }

  #encodeSyncs(entries: readonly SyncEntry[], cursor: number): Buffer {
    const added = [...new Set(entries.map((e) => e.topic))].filter((topic) => !this.#indexes.has(topic));
    for (const topic of added) this.#indexes.set(topic, this.#topics.push(topic) - 1);
    const names = Buffer.from(JSON.stringify(added));
    const bytes = Buffer.alloc(16 + names.length + entries.length * ENTRY);
    bytes.writeDoubleBE(cursor, 0);
    bytes.writeUInt32BE(names.length, 8);
    bytes.writeUInt32BE(entries.length, 12);
    names.copy(bytes, 16);
    let at = 16 + names.length;
    for (const e of entries) {
      bytes.writeUInt32BE(this.#indexes.get(e.topic) ?? 0, at);
      bytes.writeUInt32BE(e.partition, at + 4);
      bytes.writeDoubleBE(e.upstream, at + 8);
      bytes.writeDoubleBE(e.downstream, at + 16);
      at += ENTRY;
    }
    return bytes;
  }

  #readSyncs(frame: Buffer, book: SyncBook): void {
    const cursor = frame.readDoubleBE(0);
    const namesSize = frame.readUInt32BE(8);
    const count = frame.readUInt32BE(12);
    const added = JSON.parse(frame.subarray(16, 16 + namesSize).toString('utf8')) as readonly string[];
    for (const topic of added) this.#indexes.set(topic, this.#topics.push(topic) - 1);
    let at = 16 + namesSize;
    for (let i = 0; i < count; i += 1) {
      const topic = this.#topics[frame.readUInt32BE(at)] ?? '';
      const partition = frame.readUInt32BE(at + 4);
      book.note({ topic, partition, upstream: frame.readDoubleBE(at + 8), downstream: frame.readDoubleBE(at + 16) });
      at += ENTRY;
    }
    book.cursor = cursor;
    book.endBatch(false);
  }
}

function framed(type: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(FRAME_HEAD + 1 + payload.length);
  bytes.writeUInt32BE(payload.length + 1, 0);
  bytes[FRAME_HEAD] = type;
  bytes.set(payload, FRAME_HEAD + 1);
  bytes.writeUInt32BE(crc32(bytes.subarray(FRAME_HEAD)), 4);
  return bytes;
}

/** Null: nothing whole begins here. */
function frameAt(bytes: Buffer, at: number): Buffer | null {
  if (at + FRAME_HEAD > bytes.length) return null;
  const size = bytes.readUInt32BE(at);
  if (size === 0 || size > MAX_FRAME || at + FRAME_HEAD + size > bytes.length) return null;
  const frame = bytes.subarray(at + FRAME_HEAD, at + FRAME_HEAD + size);
  return crc32(frame) === bytes.readUInt32BE(at + 4) ? frame : null;
}

async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

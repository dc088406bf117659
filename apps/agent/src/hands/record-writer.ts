import type { NewRecord, RecordLog } from '#kafka';
import { sizeOf } from './report-tail.hand.js';

/** Below the 1 MiB that a broker takes by default, with room for what a batch adds. */
const MAX_BATCH_BYTES = 512 * 1024;
const MAX_BATCH_RECORDS = 2_000;
const RECORD_OVERHEAD = 64;
/** With the lease of a job (30 s) no longer than a controller waits before it gives the work to another agent. */
const APPEND_MS = 20_000;

/**
 * Appends in batches, one after the other, so that what is there is always a beginning of what was to be written: a second run
 * finds out how far the first one came by its last record.
 */
export class RecordWriter {
  readonly #log: RecordLog;
  readonly #topic: string;
  readonly #partition: number;
  readonly #mustBeAsked: () => void;
  #batch: NewRecord[] = [];
  #bytes = 0;

  /** `mustBeAsked` is called before each append, and throws to end the writing. */
  constructor(log: RecordLog, topic: string, partition: number, mustBeAsked: () => void) {
    this.#mustBeAsked = mustBeAsked;
    this.#log = log;
    this.#topic = topic;
    this.#partition = partition;
  }

  async add(record: NewRecord): Promise<void> {
    const bytes = sizeOf(record) + RECORD_OVERHEAD;
    if (this.#batch.length >= MAX_BATCH_RECORDS || this.#bytes + bytes > MAX_BATCH_BYTES) await this.flush();
    this.#batch.push(record);
    this.#bytes += bytes;
  }

  async flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#bytes = 0;
    this.#mustBeAsked();
    await this.#log.append(this.#topic, this.#partition, batch, APPEND_MS);
  }
}

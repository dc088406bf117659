import type { Ms } from '#health';
import type { ConnectorOffset, ConnectorStatus } from '../connect/connect-client.js';
import type { ClusterHands, FetchedRecord } from '../ports.js';
import { decodeSourceOffset } from './formats.js';

type Json = Readonly<Record<string, unknown>>;
type Status = Readonly<{ state: string; worker: string; trace: string | null }>;

/**
 * A dedicated MirrorMaker process as it shows itself in the three topics that it keeps on its target: states, positions and
 * configurations of its connectors. It has no REST interface, so this only reads, with the same answers as a Connect worker.
 * A process that died leaves its last words there: what says that it lives is a heartbeat that arrives.
 */
export class DedicatedWorker {
  readonly #states: CompactedTopic;
  readonly #offsets: CompactedTopic;
  readonly #configs: CompactedTopic;

  /** `hands`: of the target. `sourceAlias`: the source's name in the process's `clusters`. */
  constructor(hands: Pick<ClusterHands, 'readTopic' | 'offsets'>, sourceAlias: string) {
    this.#states = new CompactedTopic(hands, `mm2-status.${sourceAlias}.internal`);
    this.#offsets = new CompactedTopic(hands, `mm2-offsets.${sourceAlias}.internal`);
    this.#configs = new CompactedTopic(hands, `mm2-configs.${sourceAlias}.internal`);
  }

  /** Null: no such connector. A direction that is not enabled has connectors without tasks: that is a stopped flow. */
  async status(name: string, deadlineMs: Ms): Promise<ConnectorStatus | null> {
    const [values, config] = await Promise.all([this.#states.read(deadlineMs), this.config(name, deadlineMs)]);
    const own = statusOf(values.get(`status-connector-${name}`));
    if (own === null) return null;
    const prefix = `status-task-${name}-`;
    const tasks = [...values].flatMap(([key, value]) => {
      const task = key.startsWith(prefix) ? statusOf(value) : null;
      return task === null ? [] : [{ id: Number(key.slice(prefix.length)), state: task.state, trace: task.trace }];
    });
    const disabled = config?.enabled === 'false';
    return { name, ...own, state: disabled ? 'STOPPED' : own.state, tasks: disabled ? [] : tasks };
  }

  /** As old as the process's `offset.flush.interval.ms`, like a worker's. Null: it has stored none. */
  async offsets(name: string, deadlineMs: Ms): Promise<readonly ConnectorOffset[] | null> {
    const values = await this.#offsets.read(deadlineMs);
    const entries = [...values].flatMap(([key, value]): readonly ConnectorOffset[] => {
      const entry = decodeSourceOffset(Buffer.from(key), value);
      if (entry === null || entry.connector !== name) return [];
      const { cluster, topic, partition, offset } = entry;
      return [{ cluster, topic, partition, offset }];
    });
    return entries.length === 0 ? null : entries;
  }

  /** Null: no such connector. May hold passwords: never to be sent on as a whole. */
  async config(name: string, deadlineMs: Ms): Promise<Readonly<Record<string, string>> | null> {
    const value = (await this.#configs.read(deadlineMs)).get(`connector-${name}`);
    const properties = value === undefined ? null : parsed(value)?.properties;
    if (typeof properties !== 'object' || properties === null) return null;
    return Object.fromEntries(Object.entries(properties).map(([key, each]) => [key, String(each)]));
  }
}

const MAX_KEYS = 500_000;

/** A compacted topic, read on from where the last reading ended. One reading at a time; who comes meanwhile gets the same. */
class CompactedTopic {
  readonly #hands: Pick<ClusterHands, 'readTopic' | 'offsets'>;
  readonly #topic: string;
  readonly #values = new Map<string, Buffer>();
  readonly #cursors = new Map<number, number>();
  #reading: Promise<ReadonlyMap<string, Buffer>> | null = null;

  constructor(hands: Pick<ClusterHands, 'readTopic' | 'offsets'>, topic: string) {
    this.#hands = hands;
    this.#topic = topic;
  }

  /** @throws {KafkaCallError} when the topic is unknown or the cluster does not answer. */
  read(deadlineMs: Ms): Promise<ReadonlyMap<string, Buffer>> {
    this.#reading ??= this.#readOn(deadlineMs).finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readOn(deadlineMs: Ms): Promise<ReadonlyMap<string, Buffer>> {
    const ends = await this.#hands.offsets([this.#topic], 'end', deadlineMs);
    if (ends.some((end) => end.offset < (this.#cursors.get(end.partition) ?? 0))) {
      this.#values.clear(); // another topic under the same name
      this.#cursors.clear();
    }
    if (ends.every((end) => end.offset === (this.#cursors.get(end.partition) ?? 0))) return this.#values;
    const from = new Map(this.#cursors);
    await this.#hands.readTopic(this.#topic, (record) => this.#take(record), { deadlineMs, from });
    for (const { partition, offset } of ends) {
      this.#cursors.set(partition, Math.max(offset, this.#cursors.get(partition) ?? 0));
    }
    return this.#values;
  }

  #take({ key, value, partition, offset }: FetchedRecord): void {
    this.#cursors.set(partition, offset + 1);
    const name = key?.toString('utf8');
    if (name === undefined) return;
    if (value === null) this.#values.delete(name);
    else if (this.#values.size < MAX_KEYS || this.#values.has(name)) this.#values.set(name, value);
  }
}

function statusOf(value: Buffer | undefined): Status | null {
  const said = value === undefined ? null : parsed(value);
  if (said === null || typeof said.state !== 'string') return null;
  const { state, trace, worker_id: worker } = said;
  return { state, worker: String(worker), trace: typeof trace === 'string' ? trace : null };
}

/** Null: no JSON object. A word of a newer MirrorMaker must not hide the others. */
function parsed(bytes: Buffer): Json | null {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Json) : null;
  } catch {
    return null;
  }
}

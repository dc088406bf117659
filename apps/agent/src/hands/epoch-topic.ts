import type { Ms } from '#health';
import { EPOCH_TOPIC } from '#failover';
import { KafkaCallError, type ClusterHands } from '#kafka';
import type { RecordedEpoch } from '../ports.js';
import { ensureGroupTopic } from './group-topics.js';

const UNKNOWN_TOPIC = 3;
const MAX_RECORDS = 100_000;

/**
 * The newest {epoch, term} of each group, kept on the cluster itself in a compacted topic: an agent that starts alone
 * learns from it that goals on its own disk may be older than what this cluster has already lived through.
 */
export class EpochTopic {
  readonly #hands: ClusterHands;
  readonly #written = new Map<string, RecordedEpoch>();

  constructor(hands: ClusterHands) {
    this.#hands = hands;
  }

  /** Null: nothing recorded for this group. @throws {KafkaCallError} when the topic cannot be read. */
  async newest(group: string, deadlineMs: Ms): Promise<RecordedEpoch | null> {
    let newest: RecordedEpoch | null = null;
    try {
      await this.#hands.readTopic(
        EPOCH_TOPIC,
        (record) => {
          if (record.key?.toString('utf8') !== group || record.value === null) return;
          const found = parse(record.value);
          if (found && isNewer(found, newest)) newest = found;
        },
        { deadlineMs, maxRecords: MAX_RECORDS },
      );
    } catch (error) {
      if (error instanceof KafkaCallError && error.errorCode === UNKNOWN_TOPIC) return null;
      throw error;
    }
    return newest;
  }

  /** Records the epoch if it is newer than what the cluster holds. */
  async raise(group: string, epoch: number, term: number, deadlineMs: Ms): Promise<void> {
    const known = this.#written.get(group) ?? (await this.newest(group, deadlineMs));
    const wish: RecordedEpoch = { epoch, term, active: null };
    if (!isNewer(wish, known)) {
      if (known) this.#written.set(group, known);
      return;
    }
    const layout = await this.#hands.layout(deadlineMs);
    await ensureGroupTopic(this.#hands, layout, EPOCH_TOPIC, [], { 'cleanup.policy': 'compact' }, deadlineMs);
    const value = Buffer.from(JSON.stringify({ epoch, term }));
    const outcome = await this.#hands.write(
      { topic: EPOCH_TOPIC, partition: 0, key: Buffer.from(group), value },
      deadlineMs,
    );
    if (!outcome.accepted) {
      const { kind, errorCode, detail } = outcome;
      throw new KafkaCallError(`recording epoch ${epoch} of ${group}`, { kind: kind ?? 'other', errorCode, detail });
    }
    this.#written.set(group, wish);
  }
}

const isNewer = (x: RecordedEpoch, than: RecordedEpoch | null): boolean =>
  than === null || x.epoch > than.epoch || (x.epoch === than.epoch && x.term > than.term);

function parse(value: Buffer): RecordedEpoch | null {
  try {
    const { epoch, term, active } = JSON.parse(value.toString('utf8')) as Record<string, unknown>;
    if (typeof epoch !== 'number' || typeof term !== 'number') return null;
    return { epoch, term, active: typeof active === 'string' ? active : null };
  } catch {
    return null; // not ours: a record that nobody can read orders nothing
  }
}

import type { Ms } from '#health';
import { decodeCheckpoint, type ClusterHands } from '#kafka';

export type HeldCheckpoint = Readonly<{ topic: string; upstream: number; downstream: number; atWallMs: number }>;

const MAX_BACK = 200_000; // records looked back at the start: MirrorMaker repeats what moves
const MAX_HELD = 500_000;

/** MirrorMaker's last word per consumer group and partition of the target, followed from the checkpoints topic. */
export class CheckpointBoard {
  readonly #held = new Map<string, HeldCheckpoint>();
  #cursor: number | null = null;

  get(group: string, topic: string, partition: number): HeldCheckpoint | null {
    return this.#held.get(keyOf(group, topic, partition)) ?? null;
  }

  forget(topics: readonly string[]): void {
    const gone = new Set(topics);
    for (const [key, checkpoint] of this.#held) if (gone.has(checkpoint.topic)) this.#held.delete(key);
  }

  async readOn(hands: ClusterHands, topic: string, deadlineMs: Ms): Promise<void> {
    const end = (await hands.offsets([topic], 'end', deadlineMs)).find((o) => o.partition === 0)?.offset ?? 0;
    if (this.#cursor !== null && end < this.#cursor) {
      this.#held.clear(); // another topic under the same name
      this.#cursor = null;
    }
    const from = this.#cursor ?? Math.max(0, end - MAX_BACK);
    if (from < end) {
      await hands.readTopic(topic, (record) => this.#take(record.key, record.value, record.timestampMs), {
        deadlineMs,
        from: new Map([[0, from]]),
      });
    }
    this.#cursor = end;
  }

  #take(key: Buffer | null, value: Buffer | null, atWallMs: number): void {
    if (key === null || value === null) return;
    const { group, topic, partition, upstream, downstream } = decodeCheckpoint(key, value);
    const at = keyOf(group, topic, partition);
    if (this.#held.size >= MAX_HELD && !this.#held.has(at)) return;
    this.#held.set(at, { topic, upstream, downstream, atWallMs });
  }
}

const keyOf = (group: string, topic: string, partition: number): string => `${partition}/${topic}/${group}`;

import type { Ms } from '#health';
import type { FlowFacts, PartitionLag } from '#failover';
import type { FlowUpdate, PartitionUpdate } from '#rpc';

/** Far above any sane flow: a broken agent must not fill the memory. */
const MAX_PARTITIONS = 100_000;

/** One flow as one agent last reported it; instants on this process's monotonic clock. */
export class FlowRecord {
  #update: FlowUpdate;
  #atMs: Ms;
  #grewAtMs: Ms | null = null; // the round in which an end offset of the source was first seen larger
  #partitions = new Map<string, Readonly<{ update: PartitionUpdate; atMs: Ms }>>();

  constructor(update: FlowUpdate, atMs: Ms) {
    this.#update = update;
    this.#atMs = atMs;
    this.put(update, atMs);
  }

  put(update: FlowUpdate, atMs: Ms): void {
    const known = this.#partitions;
    if (update.whole) this.#partitions = new Map();
    for (const partition of update.partitions) {
      const key = `${partition.topic}/${partition.partition}`;
      const before = known.get(key)?.update.sourceEnd ?? null;
      if (before !== null && (partition.sourceEnd ?? 0) > before) this.#grewAtMs = atMs - update.roundAgeMs;
      if (this.#partitions.size >= MAX_PARTITIONS && !this.#partitions.has(key)) continue;
      this.#partitions.set(key, { update: partition, atMs });
    }
    this.#update = { ...update, partitions: [] };
    this.#atMs = atMs;
  }

  /** Since the start of the round that read this flow. */
  ageMs(now: Ms): Ms {
    return this.#update.roundAgeMs + (now - this.#atMs);
  }

  facts(now: Ms): FlowFacts {
    const u = this.#update;
    const sinceMs = now - this.#atMs;
    const older = (ageMs: Ms | null): Ms | null => (ageMs === null ? null : ageMs + sinceMs);
    return {
      from: u.from,
      to: u.to,
      lagRecords: u.lagRecords,
      lagMs: u.lagMs,
      heartbeatAgeMs: older(u.heartbeatAgeMs),
      observedAgeMs: older(u.observedAgeMs),
      sourceConnector: u.sourceConnector,
      checkpointConnector: u.checkpointConnector,
      perPartition: this.#lags(now),
      ...(this.#grewAtMs === null ? {} : { sourceGrewAgeMs: now - this.#grewAtMs }),
      ...(u.checkpointAgeMs === undefined ? {} : { checkpointAgeMs: u.checkpointAgeMs + sinceMs }),
      ...(u.gaps === undefined ? {} : { gaps: u.gaps.map((g) => ({ ...g, ageMs: g.ageMs + sinceMs })) }),
      ...(u.failures === undefined ? {} : { failures: u.failures }),
    };
  }

  /** A `current` value is as old as the flow's newest round; any other is as old as it was, plus the time since. */
  #lags(now: Ms): PartitionLag[] {
    const roundAgeMs = this.ageMs(now);
    const lags: PartitionLag[] = [];
    for (const { update: p, atMs } of this.#partitions.values()) {
      const age = (value: number | null, current: boolean, ageMs: Ms | null): Ms | null =>
        value === null ? null : current ? roundAgeMs : ageMs === null ? null : ageMs + (now - atMs);
      lags.push({
        topic: p.topic,
        partition: p.partition,
        sourceEnd: p.sourceEnd,
        replicated: p.replicated,
        sourceEndAgeMs: age(p.sourceEnd, p.sourceEndCurrent, p.sourceEndAgeMs),
        replicatedAgeMs: age(p.replicated, p.replicatedCurrent, p.replicatedAgeMs),
      });
    }
    return lags;
  }
}

/** What is said of a flow that nobody has reported: nothing is known, and that blocks. */
export const unknownFlow = (from: string, to: string): FlowFacts => ({
  from,
  to,
  lagRecords: null,
  lagMs: null,
  heartbeatAgeMs: null,
  observedAgeMs: null,
  sourceConnector: 'UNKNOWN',
  checkpointConnector: 'UNKNOWN',
  perPartition: [],
});

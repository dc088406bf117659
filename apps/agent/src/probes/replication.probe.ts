import type { ClusterName, Ms } from '#health';
import type { ConnectorFailure, ConnectorState, FlowFacts, PartitionLag } from '#failover';
import type { ConnectorOffset, ConnectorStatus } from '#kafka';
import { connectorState, failuresOf } from './connectors.js';
import type { BoardEntry } from './end-offset-board.js';
import { LagClock } from './lag-clock.js';
import { OffsetTable } from './offset-table.js';

export type FlowNames = Readonly<{ from: ClusterName; to: ClusterName; source: string; checkpoint: string }>;
/** The part of a Connect worker that is asked each round. */
export type FlowWorker = Readonly<{
  status(name: string, deadlineMs: Ms): Promise<ConnectorStatus | null>;
  offsets(name: string, deadlineMs: Ms): Promise<readonly ConnectorOffset[] | null>;
}>;
export type FlowContext = Readonly<{
  source: BoardEntry; // end offsets of the source, as far as this agent sees it
  isOfGroup: (topic: string) => boolean;
  heartbeatAtMs: Ms | null; // when a new heartbeat last arrived on the target
}>;

/** One flow's state between rounds: N per partition with its age, and what the connectors last said. */
export class ReplicationProbe {
  readonly #names: FlowNames;
  #positions = new OffsetTable();
  #movedByMs = new OffsetTable(); // by when, at the latest, each position was first seen as it is now
  readonly #clocks = new Map<string, LagClock>();
  #positionsReadAtMs: Ms | null = null;
  #source: ConnectorState = 'UNKNOWN';
  #checkpoint: ConnectorState = 'UNKNOWN';
  #failures: readonly ConnectorFailure[] = [];

  constructor(names: FlowNames) {
    this.#names = names;
  }

  get copiedTopics(): readonly string[] {
    return [...this.#positions.topics()];
  }

  /** Asks the target's Connect worker; what it does not answer keeps its last value and its age. */
  async ask(connect: FlowWorker, alias: string, nowMs: Ms, deadlineMs: Ms): Promise<void> {
    const { source, checkpoint } = this.#names;
    const [sourceStatus, checkpointStatus, offsets] = await Promise.all([
      connect.status(source, deadlineMs).catch(() => 'silent' as const),
      connect.status(checkpoint, deadlineMs).catch(() => 'silent' as const),
      connect.offsets(source, deadlineMs).catch(() => null), // unknown, not zero: the old values go on ageing
    ]);
    const answers = [sourceStatus, checkpointStatus];
    this.#source = sourceStatus === 'silent' ? 'UNKNOWN' : connectorState(sourceStatus);
    this.#checkpoint = checkpointStatus === 'silent' ? 'UNKNOWN' : connectorState(checkpointStatus);
    this.#failures = answers.flatMap((status) => (status === 'silent' ? [] : failuresOf(status)));
    if (offsets !== null) this.#takePositions(offsets, alias, nowMs, nowMs + deadlineMs);
  }

  facts(context: FlowContext, nowMs: Ms): FlowFacts {
    const { from, to } = this.#names;
    const perPartition: PartitionLag[] = [];
    let lagRecords: number | null = this.#positionsReadAtMs === null ? null : 0;
    let lagMs: Ms | null = 0;
    let oldestMs: Ms = this.#positionsReadAtMs ?? nowMs;
    for (const topic of this.#topics(context)) {
      const partitions = Math.max(context.source.ends.partitions(topic), this.#positions.partitions(topic));
      for (let p = 0; p < partitions; p += 1) {
        if (this.#isGone(context, topic, p)) continue;
        const lag = this.#partition(context, topic, p, nowMs);
        perPartition.push(lag.facts);
        lagRecords = lagRecords === null || lag.records === null ? null : lagRecords + lag.records;
        lagMs = lagMs === null || lag.ms === null ? null : Math.max(lagMs, lag.ms);
        oldestMs = Math.min(oldestMs, nowMs - (lag.facts.sourceEndAgeMs ?? 0));
      }
    }
    if (perPartition.length === 0) lagRecords = null; // nothing is known of the source: not the same as nothing behind
    return {
      from,
      to,
      lagRecords,
      lagMs: lagRecords === null ? null : lagMs,
      heartbeatAgeMs: context.heartbeatAtMs === null ? null : nowMs - context.heartbeatAtMs,
      observedAgeMs: lagRecords === null ? null : nowMs - oldestMs,
      sourceConnector: this.#source,
      checkpointConnector: this.#checkpoint,
      perPartition,
      ...(this.#failures.length === 0 ? {} : { failures: this.#failures }),
    };
  }

  #takePositions(offsets: readonly ConnectorOffset[], alias: string, nowMs: Ms, byMs: Ms): void {
    const [before, movedBefore] = [this.#positions, this.#movedByMs];
    this.#positionsReadAtMs = nowMs;
    this.#positions = new OffsetTable(); // an entry that is gone was deleted: its old value must not live on
    this.#movedByMs = new OffsetTable();
    for (const { cluster, topic, partition, offset } of offsets) {
      if (cluster !== alias || offset === null) continue;
      const stood = before.value(topic, partition) === offset ? movedBefore.value(topic, partition) : null;
      this.#positions.set(topic, partition, offset, nowMs);
      this.#movedByMs.set(topic, partition, stood ?? byMs, nowMs);
    }
  }

  /**
   * MirrorMaker never removes the entry of a partition that was deleted on the source: it would hide the lag of all others
   * for ever. It counts for nothing once the source itself, asked after the entry last moved, knows no such partition; one
   * that moved since may be of a topic that is newer than the source's last word.
   */
  #isGone({ source }: FlowContext, topic: string, partition: number): boolean {
    return source.known.denies(topic, partition, this.#movedByMs.value(topic, partition) ?? -Infinity);
  }

  #topics({ source, isOfGroup }: FlowContext): readonly string[] {
    return [...new Set([...source.ends.topics(), ...this.#positions.topics()])].filter(isOfGroup).toSorted();
  }

  #partition(context: FlowContext, topic: string, partition: number, nowMs: Ms) {
    const end = context.source.ends.value(topic, partition);
    const endAtMs = context.source.ends.atMs(topic, partition);
    const position = this.#positions.value(topic, partition);
    // An answer without an entry says that nothing of the partition was copied yet.
    const replicated = position !== null ? position + 1 : this.#positionsReadAtMs === null ? null : 0;
    const replicatedAtMs = position !== null ? this.#positions.atMs(topic, partition) : this.#positionsReadAtMs;
    const facts: PartitionLag = {
      topic,
      partition,
      sourceEnd: end,
      replicated,
      sourceEndAgeMs: endAtMs === null ? null : nowMs - endAtMs,
      replicatedAgeMs: replicated === null || replicatedAtMs === null ? null : nowMs - replicatedAtMs,
    };
    if (end === null || endAtMs === null || replicated === null) return { facts, records: null, ms: null };
    return {
      facts,
      records: Math.max(0, end - replicated),
      ms: this.#clock(topic, partition).note(end, replicated, endAtMs),
    };
  }

  #clock(topic: string, partition: number): LagClock {
    const key = `${partition}/${topic}`;
    let clock = this.#clocks.get(key);
    if (!clock) this.#clocks.set(key, (clock = new LagClock()));
    return clock;
  }
}

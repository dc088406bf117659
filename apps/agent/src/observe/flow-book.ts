import type { ClusterName, Ms } from '#health';
import type { FlowFacts, PartitionLag } from '#failover';
import type { FlowUpdate, PartitionUpdate } from '#rpc';
import type { FlowObservation } from '../ports.js';

/** A partition as last observed; instants on the agent's monotonic clock. */
type Entry = Readonly<{
  topic: string;
  partition: number;
  sourceEnd: number | null;
  replicated: number | null;
  sourceEndAtMs: Ms | null;
  replicatedAtMs: Ms | null;
  sourceEndCurrent: boolean;
  replicatedCurrent: boolean;
  revision: number; // of the book, when anything that is sent last changed
}>;

/**
 * One flow as this agent knows it. Every change carries the book's revision, so each session can be sent exactly what
 * changed since the last report *it* got: nothing is queued, and a slow controller costs no memory.
 */
export class FlowBook {
  readonly group: string;
  readonly from: ClusterName;
  readonly to: ClusterName;
  #facts: FlowFacts;
  #agesAtMs: Ms;
  #roundAtMs: Ms;
  #entries = new Map<string, Entry>();
  #removedRevision = 0; // a partition went away: sessions older than this need the whole

  constructor(observation: FlowObservation, roundAtMs: Ms, agesAtMs: Ms, revision: number) {
    this.group = observation.group;
    this.from = observation.facts.from;
    this.to = observation.facts.to;
    this.#facts = observation.facts;
    this.#agesAtMs = agesAtMs;
    this.#roundAtMs = roundAtMs;
    this.put(observation.facts, roundAtMs, agesAtMs, revision);
  }

  put(facts: FlowFacts, roundAtMs: Ms, agesAtMs: Ms, revision: number): void {
    this.#facts = facts;
    this.#agesAtMs = agesAtMs;
    this.#roundAtMs = roundAtMs;
    const before = this.#entries;
    const entries = new Map<string, Entry>();
    for (const lag of facts.perPartition) {
      const key = `${lag.topic}/${lag.partition}`;
      entries.set(key, toEntry(lag, before.get(key), roundAtMs, agesAtMs, revision));
    }
    for (const key of before.keys()) {
      if (!entries.has(key)) this.#removedRevision = revision;
    }
    this.#entries = entries;
  }

  /** What a session that was last sent `sinceRevision` must be sent at `now`; 0 or `full`: everything. */
  update(sinceRevision: number, full: boolean, now: Ms): FlowUpdate {
    const whole = full || sinceRevision < this.#removedRevision || sinceRevision === 0;
    const partitions: PartitionUpdate[] = [];
    for (const entry of this.#entries.values()) {
      if (whole || entry.revision > sinceRevision) partitions.push(toUpdate(entry, now));
    }
    const { perPartition: _, ...facts } = this.#facts;
    const sinceMs = Math.max(0, now - this.#agesAtMs);
    const older = (ageMs: Ms | null): Ms | null => (ageMs === null ? null : ageMs + sinceMs);
    return {
      ...facts,
      group: this.group,
      heartbeatAgeMs: older(facts.heartbeatAgeMs),
      observedAgeMs: older(facts.observedAgeMs),
      ...(facts.checkpointAgeMs === undefined ? {} : { checkpointAgeMs: facts.checkpointAgeMs + sinceMs }),
      ...(facts.gaps === undefined ? {} : { gaps: facts.gaps.map((g) => ({ ...g, ageMs: g.ageMs + sinceMs })) }),
      whole,
      partitions,
      roundAgeMs: Math.max(0, now - this.#roundAtMs),
    };
  }
}

function toEntry(lag: PartitionLag, before: Entry | undefined, roundAtMs: Ms, agesAtMs: Ms, revision: number): Entry {
  const at = (ageMs: Ms | null): Ms | null => (ageMs === null ? null : agesAtMs - ageMs);
  const sourceEndAtMs = at(lag.sourceEndAgeMs);
  const replicatedAtMs = at(lag.replicatedAgeMs);
  const entry: Entry = {
    topic: lag.topic,
    partition: lag.partition,
    sourceEnd: lag.sourceEnd,
    replicated: lag.replicated,
    sourceEndAtMs,
    replicatedAtMs,
    sourceEndCurrent: lag.sourceEnd !== null && sourceEndAtMs !== null && sourceEndAtMs >= roundAtMs,
    replicatedCurrent: lag.replicated !== null && replicatedAtMs !== null && replicatedAtMs >= roundAtMs,
    revision,
  };
  return before !== undefined && sameToReceiver(before, entry) ? { ...entry, revision: before.revision } : entry;
}

/** A current value ages with its round, an old one by itself: neither needs sending again until the value or that changes. */
const sameToReceiver = (a: Entry, b: Entry): boolean =>
  a.sourceEnd === b.sourceEnd &&
  a.replicated === b.replicated &&
  a.sourceEndCurrent === b.sourceEndCurrent &&
  a.replicatedCurrent === b.replicatedCurrent &&
  (b.sourceEndCurrent || closeTo(a.sourceEndAtMs, b.sourceEndAtMs)) &&
  (b.replicatedCurrent || closeTo(a.replicatedAtMs, b.replicatedAtMs));

/** Ages are rounded on their way through a round: a millisecond is no news. */
const closeTo = (a: Ms | null, b: Ms | null): boolean => a === b || (a !== null && b !== null && Math.abs(a - b) < 1);

const toUpdate = (e: Entry, now: Ms): PartitionUpdate => ({
  topic: e.topic,
  partition: e.partition,
  sourceEnd: e.sourceEnd,
  replicated: e.replicated,
  sourceEndCurrent: e.sourceEndCurrent,
  replicatedCurrent: e.replicatedCurrent,
  sourceEndAgeMs: e.sourceEndCurrent || e.sourceEndAtMs === null ? null : Math.max(0, now - e.sourceEndAtMs),
  replicatedAgeMs: e.replicatedCurrent || e.replicatedAtMs === null ? null : Math.max(0, now - e.replicatedAtMs),
});

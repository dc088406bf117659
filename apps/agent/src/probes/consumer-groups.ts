import type { Ms } from '#health';
import type { WatchGroup } from '#failover';
import { topicMatcher, type Address, type ClusterEyes, type CommittedOffset } from '#kafka';
import type { ConsumerGroupObservation } from '../ports.js';
import type { SeenCommit } from './end-offset-board.js';
import { OffsetTable } from './offset-table.js';

const COORDINATORS_EVERY_MS = 60_000;
/** Groups whose coordinator is not known, or moved, are looked up no more often than this. */
const LOOK_AGAIN_MS = 10_000;
const MEMBERS_EVERY_MS = 10_000;

type Watched = Readonly<{ group: string; consumerGroup: string; isOfGroup: (topic: string) => boolean }>;
type Commits = { offsets: OffsetTable; readAtMs: Ms; movedAtMs: Ms | null };
type GroupEyes = Pick<ClusterEyes, 'coordinators' | 'committedOffsets' | 'groupMembers'>;

export type Whom = Readonly<{
  anyone: Address | null; // that answered last
  broker: (id: number) => Address | null;
}>;

/**
 * What the watched consumer groups have committed on one cluster: one request per coordinator and round, whatever the
 * number of groups and partitions. Who coordinates is looked up on a slow tick, beside the round, and used from the next
 * one on. What is not answered (silence, a right that this agent has not) keeps its last value with its age; nothing of
 * this is a finding about the cluster's health.
 */
export class ConsumerGroups {
  readonly #eyes: GroupEyes;
  #watched: readonly Watched[] = [];
  #names: readonly string[] = [];
  readonly #coordinators = new Map<string, number>();
  readonly #commits = new Map<string, Commits>();
  readonly #members = new Map<string, number>();
  #membersAskedAtMs: Ms | null = null;
  #lookedAtMs: Ms | null = null;

  constructor(eyes: GroupEyes) {
    this.#eyes = eyes;
  }

  setWatch(groups: readonly WatchGroup[]): void {
    this.#watched = groups.flatMap(({ name, topics, consumerGroups }) => {
      const isOfGroup = topicMatcher(topics);
      return [...new Set(consumerGroups)].map((consumerGroup) => ({ group: name, consumerGroup, isOfGroup }));
    });
    this.#names = [...new Set(this.#watched.map((w) => w.consumerGroup))].toSorted();
    const wanted = new Set(this.#names);
    for (const name of this.#coordinators.keys()) if (!wanted.has(name)) this.#coordinators.delete(name);
    for (const name of this.#commits.keys()) if (!wanted.has(name)) this.#commits.delete(name);
    for (const name of this.#members.keys()) if (!wanted.has(name)) this.#members.delete(name);
  }

  async ask(whom: Whom, nowMs: Ms, deadlineMs: Ms): Promise<void> {
    const parts = [...this.#byCoordinator()];
    const membersDue =
      parts.length > 0 && (this.#membersAskedAtMs === null || nowMs - this.#membersAskedAtMs >= MEMBERS_EVERY_MS);
    if (membersDue) this.#membersAskedAtMs = nowMs;
    await Promise.all([
      this.#lookUp(whom, nowMs, deadlineMs),
      ...parts.map(([id, names]) => this.#read(whom.broker(id), names, nowMs, deadlineMs)),
      ...(membersDue ? parts.map(([id, names]) => this.#count(whom.broker(id), names, deadlineMs)) : []),
    ]);
  }

  /** `ends`: the end offsets of this cluster. Groups that were never read are not mentioned. */
  observations(ends: OffsetTable, nowMs: Ms): readonly ConsumerGroupObservation[] {
    return this.#watched.flatMap(({ group, consumerGroup, isOfGroup }) => {
      const commits = this.#commits.get(consumerGroup);
      if (commits === undefined) return [];
      const { lagRecords, oldestMs } = behind(commits, ends, isOfGroup);
      const committedAgeMs = commits.movedAtMs === null ? null : nowMs - commits.movedAtMs;
      const members = this.#members.get(consumerGroup);
      const said = { group, consumerGroup, lagRecords, observedAgeMs: nowMs - oldestMs, committedAgeMs };
      return [{ ...said, ...(members === undefined ? {} : { members }) }];
    });
  }

  /** What a group had committed when it was last read; null: never. */
  committed(consumerGroup: string, nowMs: Ms): ReadonlyMap<string, SeenCommit> | null {
    const commits = this.#commits.get(consumerGroup);
    if (commits === undefined) return null;
    const { offsets, readAtMs } = commits;
    const seen = new Map<string, SeenCommit>();
    for (const topic of offsets.topics()) {
      for (let p = 0; p < offsets.partitions(topic); p += 1) {
        const offset = offsets.value(topic, p);
        if (offset !== null) seen.set(`${topic}/${p}`, { offset, ageMs: nowMs - readAtMs });
      }
    }
    return seen;
  }

  #byCoordinator(): ReadonlyMap<number, readonly string[]> {
    const found = new Map<number, string[]>();
    for (const [name, id] of this.#coordinators) {
      const names = found.get(id);
      if (names) names.push(name);
      else found.set(id, [name]);
    }
    return found;
  }

  async #lookUp({ anyone }: Whom, nowMs: Ms, deadlineMs: Ms): Promise<void> {
    const complete = this.#names.every((name) => this.#coordinators.has(name));
    const everyMs = complete ? COORDINATORS_EVERY_MS : LOOK_AGAIN_MS;
    const due = this.#lookedAtMs === null || nowMs - this.#lookedAtMs >= everyMs;
    if (anyone === null || this.#names.length === 0 || !due) return;
    this.#lookedAtMs = nowMs;
    const answer = await this.#eyes.coordinators(anyone, this.#names, deadlineMs);
    if (!answer.ok) return;
    const wanted = new Set(this.#names); // the watch may have changed meanwhile
    for (const [name, id] of answer.value) if (wanted.has(name)) this.#coordinators.set(name, id);
  }

  async #read(address: Address | null, names: readonly string[], nowMs: Ms, deadlineMs: Ms): Promise<void> {
    const answer = address === null ? null : await this.#eyes.committedOffsets(address, names, deadlineMs);
    if (answer === null || !answer.ok) return this.#forgetCoordinators(names);
    const failed = new Set(answer.value.failed.map((f) => f.group));
    this.#forgetCoordinators([...failed]);
    const offsets = new Map<string, CommittedOffset[]>(names.map((name) => [name, []]));
    for (const offset of answer.value.offsets) offsets.get(offset.group)?.push(offset);
    for (const name of names) {
      if (!failed.has(name) && this.#names.includes(name)) this.#take(name, offsets.get(name) ?? [], nowMs);
    }
  }

  /** Silence leaves no number: a group that was there a while ago proves no client of now. */
  async #count(address: Address | null, names: readonly string[], deadlineMs: Ms): Promise<void> {
    const answer = address === null ? null : await this.#eyes.groupMembers(address, names, deadlineMs);
    for (const name of names) {
      const members = answer?.ok ? answer.value.get(name) : undefined;
      if (members === undefined || !this.#names.includes(name)) this.#members.delete(name);
      else this.#members.set(name, members);
    }
  }

  #forgetCoordinators(names: readonly string[]): void {
    for (const name of names) this.#coordinators.delete(name);
  }

  #take(name: string, list: readonly CommittedOffset[], nowMs: Ms): void {
    const before = this.#commits.get(name);
    const offsets = new OffsetTable(); // a commit that is gone must not live on
    let moved = false;
    for (const { topic, partition, offset } of list) {
      offsets.set(topic, partition, offset, nowMs);
      if (before !== undefined && before.offsets.value(topic, partition) !== offset) moved = true;
    }
    this.#commits.set(name, { offsets, readAtMs: nowMs, movedAtMs: moved ? nowMs : (before?.movedAtMs ?? null) });
  }
}

function behind(commits: Commits, ends: OffsetTable, isOfGroup: (topic: string) => boolean) {
  let lagRecords: number | null = null;
  let unknown = false;
  let oldestMs = commits.readAtMs;
  for (const topic of commits.offsets.topics()) {
    if (!isOfGroup(topic)) continue;
    for (let p = 0; p < commits.offsets.partitions(topic); p += 1) {
      const committed = commits.offsets.value(topic, p);
      if (committed === null) continue;
      const end = ends.value(topic, p);
      if (end === null) {
        unknown = true;
        continue;
      }
      lagRecords = (lagRecords ?? 0) + Math.max(0, end - committed);
      oldestMs = Math.min(oldestMs, ends.atMs(topic, p) ?? oldestMs);
    }
  }
  return { lagRecords: unknown ? null : lagRecords, oldestMs };
}

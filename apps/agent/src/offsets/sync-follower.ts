import type { Ms } from '#health';
import type { SilentGap, SyncHistory } from '#failover';
import { remoteTopic } from '#failover';
import {
  OffsetSyncDecoder,
  type ClusterHands,
  type ClusterLayout,
  type ConnectClient,
  type FetchedRecord,
} from '#kafka';
import type { MonotonicClock } from '../ports.js';
import { CheckpointBoard } from './checkpoint-board.js';
import { GapLooks } from './gap-look.js';
import { type FlowSetup, type FollowedFlow, readSetup, setupOf } from './flow-setup.js';
import { SyncBook, type SyncEntry } from './sync-book.js';
import { NO_FACTS, type SyncFacts, type SyncFile } from './sync-file.js';

export type FollowerParts = Readonly<{
  file: SyncFile;
  source: ClusterHands;
  target: ClusterHands;
  connect: Pick<ConnectClient, 'config' | 'offsets'> | null; // the worker whose own cluster is the target
  clock: MonotonicClock;
}>;

export type Looked = Readonly<{ layout: ClusterLayout; atMs: Ms }>;

const SETUP_EVERY_MS = 60_000;
const LOOK_EVERY_MS = 10_000;
const SMALL_ASK_MS = 1_500; // a side that is silent must not hold up what the other one can tell
const END_ASK_MS = 5_000;
const MAX_APPENDED = 100_000; // more of them at once are stored as what came of them

/**
 * Follows one flow's offset-syncs for as long as the agent lives: compaction eats all but the newest of each partition.
 * Reads beside the probes, on connections of its own and a slow cadence; a side that is silent costs it a reading, nothing else.
 */
export class SyncFollower {
  readonly checkpoints = new CheckpointBoard();
  readonly #parts: FollowerParts;
  readonly #book = new SyncBook();
  readonly #decoder = new OffsetSyncDecoder();
  readonly #gaps: GapLooks;
  #flow: FollowedFlow;
  #setup: FlowSetup;
  #setupAtMs: Ms | null = null;
  #facts: SyncFacts = NO_FACTS;
  #loaded = false;
  #readAtMs: Ms | null = null;
  #sourceLook: Looked | null = null;
  #targetLook: Looked | null = null;
  #looksAskedAtMs: Ms | null = null;
  #turn: Promise<void> = Promise.resolve();

  constructor(flow: FollowedFlow, parts: FollowerParts) {
    this.#flow = flow;
    this.#setup = setupOf(flow, null);
    this.#parts = parts;
    this.#gaps = new GapLooks({ ...parts, worker: parts.connect });
  }

  get flow(): FollowedFlow {
    return this.#flow;
  }

  set flow(flow: FollowedFlow) {
    this.#flow = flow;
    if (this.#setupAtMs === null) this.#setup = setupOf(flow, null);
  }

  get setup(): FlowSetup {
    return this.#setup;
  }

  get facts(): Readonly<{ noted: number; pairs: number; readAtMs: Ms | null }> {
    return { noted: this.#book.noted, pairs: this.#book.pairs, readAtMs: this.#readAtMs };
  }

  /** The source as it was last seen; null: never by this process. */
  get sourceLook(): Looked | null {
    return this.#sourceLook;
  }

  /** What the copy lacks or holds twice. Of a flow that does not copy now nothing is told: its position is an old one. */
  get gaps(): readonly SilentGap[] {
    return this.#flow.leaves ? this.#gaps.told() : [];
  }

  history(sourceTopic: string, partition: number): SyncHistory | null {
    return this.#book.history(sourceTopic, partition);
  }

  /**
   * Reads on to the topic's present end. One reading at a time; a failed one is told and changes nothing but the age.
   * `brief`: the syncs only, not what is looked at now and then beside them.
   */
  readOn(deadlineMs: Ms, brief = false): Promise<void> {
    const next = this.#turn.then(() => this.#read(this.#parts.clock() + deadlineMs, brief));
    this.#turn = next.catch(() => undefined); // told to whoever asked for it
    return next;
  }

  /**
   * One side's topics were made anew while the flow stands still: neither the pairs nor MirrorMaker's last words about them mean
   * anything any more. Read on first: what stands in the syncs topic by now is of the former life too.
   */
  async forget(topics: readonly string[], deadlineMs: Ms): Promise<void> {
    await this.readOn(deadlineMs / 2, true).catch(() => undefined); // a silent side: its topics' ids will tell the next look
    this.#turn = this.#turn.then(async () => {
      for (const topic of topics) this.#book.forget(topic);
      this.checkpoints.forget(topics);
      this.#looksAskedAtMs = null;
      await this.#parts.file.snapshot(this.#book, this.#facts);
    });
    await this.#turn;
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#parts.file.close();
  }

  async #read(endsAtMs: Ms, brief: boolean): Promise<void> {
    const { clock, file, source, target } = this.#parts;
    const left = (): Ms => Math.max(1, endsAtMs - clock());
    if (!this.#loaded) {
      this.#facts = (await file.load(this.#book)) ?? NO_FACTS;
      this.#gaps.restore(this.#facts.gaps ?? []);
    }
    this.#loaded = true;
    if (!brief) {
      await this.#refreshSetup(SMALL_ASK_MS);
      await this.#look(SMALL_ASK_MS);
    }
    const fresh = this.#facts.epoch !== null && this.#facts.epoch !== this.#flow.epoch;
    if (fresh) this.#split(); // another cluster was active meanwhile: nothing is counted across
    const hands = this.#setup.syncsOn === 'target' ? target : source;
    const topicId = await this.#syncsTopicId(hands, left());
    const replaced = this.#facts.syncsTopicId !== null && topicId !== null && topicId !== this.#facts.syncsTopicId;
    const ends = await hands.offsets([this.#setup.syncsTopic], 'end', Math.min(left(), END_ASK_MS));
    const end = ends.find((o) => o.partition === 0)?.offset ?? 0;
    const restarted = replaced || end < this.#book.cursor;
    if (restarted) {
      this.#split();
      this.#book.cursor = 0;
    }
    const facts = { ...this.#facts, epoch: this.#flow.epoch, syncsTopicId: topicId ?? this.#facts.syncsTopicId };
    await this.#drain(hands, left(), { coarse: fresh || restarted, facts });
    this.#readAtMs = clock();
  }

  /**
   * What was read is on disk when this ends, well or not. A plain reading is appended; one with holes, or over a time in
   * which nothing may be counted, is stored as the history that came of it.
   */
  async #drain(
    hands: ClusterHands,
    deadlineMs: Ms,
    how: Readonly<{ coarse: boolean; facts: SyncFacts }>,
  ): Promise<void> {
    const { file } = this.#parts;
    const first = this.#book.cursor === 0;
    let whole = how.coarse || this.#facts.epoch === null || this.#facts.syncsTopicId !== how.facts.syncsTopicId;
    const entries: SyncEntry[] = [];
    const visit = (record: FetchedRecord): void => {
      if (!first && record.offset > this.#book.cursor) {
        whole = true;
        this.#split();
      }
      this.#book.cursor = record.offset + 1;
      const entry = this.#entry(record);
      if (entry === null) return;
      this.#book.note(entry);
      this.#gaps.note(entry);
      if (entries.length < MAX_APPENDED) entries.push(entry);
      else whole = true;
    };
    try {
      await hands.readTopic(this.#setup.syncsTopic, visit, { deadlineMs, from: new Map([[0, this.#book.cursor]]) });
    } finally {
      this.#book.endBatch(how.coarse);
      if (first || how.coarse) this.#gaps.settle();
      this.#facts = how.facts;
      if (!whole && entries.length > 0) whole = await file.append(entries, this.#book.cursor);
      if (whole) await file.snapshot(this.#book, this.#facts);
    }
  }

  #entry({ key, value }: FetchedRecord): SyncEntry | null {
    if (key === null || value === null) return null;
    const entry = this.#decoder.decode(key, value);
    return entry.topic === 'heartbeats' || entry.topic.endsWith('.heartbeats') ? null : entry; // one a second for ever
  }

  #forget(topic: string): void {
    this.#book.forget(topic);
    this.#gaps.forget(topic);
  }

  #split(): void {
    this.#book.split();
    this.#gaps.split();
  }

  async #refreshSetup(deadlineMs: Ms): Promise<void> {
    const nowMs = this.#parts.clock();
    if (this.#setupAtMs !== null && nowMs - this.#setupAtMs < SETUP_EVERY_MS) return;
    const setup = await readSetup(this.#flow, this.#parts.connect, deadlineMs);
    if (setup === null) return; // the last one stands
    this.#setup = setup;
    this.#setupAtMs = nowMs;
  }

  async #syncsTopicId(hands: ClusterHands, deadlineMs: Ms): Promise<string | null> {
    const onTarget = this.#setup.syncsOn === 'target';
    const look = (onTarget ? this.#targetLook : this.#sourceLook) ?? { layout: await hands.layout(deadlineMs) };
    return look.layout.topics.get(this.#setup.syncsTopic)?.id ?? null;
  }

  /** Both sides' topics, seldom: a topic under the same name with another id was deleted and made anew. */
  async #look(deadlineMs: Ms): Promise<void> {
    const { clock, source, target } = this.#parts;
    const nowMs = clock();
    if (this.#looksAskedAtMs !== null && nowMs - this.#looksAskedAtMs < LOOK_EVERY_MS) return;
    this.#looksAskedAtMs = nowMs;
    const [onSource, onTarget] = await Promise.allSettled([source.layout(deadlineMs), target.layout(deadlineMs)]);
    if (onSource.status === 'fulfilled') this.#sourceLook = { layout: onSource.value, atMs: nowMs };
    if (onTarget.status === 'fulfilled') this.#targetLook = { layout: onTarget.value, atMs: nowMs };
    const seen = {
      source: onSource.status === 'fulfilled' ? onSource.value : null,
      target: onTarget.status === 'fulfilled' ? onTarget.value : null,
    };
    const renewed = this.#compareIds(seen.source, seen.target);
    const changed = (await this.#lookForGaps(seen, deadlineMs)) || renewed;
    if (changed) await this.#parts.file.snapshot(this.#book, this.#facts);
    this.#book.look();
  }

  /** @returns whether something is to be kept. */
  async #lookForGaps(
    { source, target }: Readonly<{ source: ClusterLayout | null; target: ClusterLayout | null }>,
    deadlineMs: Ms,
  ): Promise<boolean> {
    const { flow, setup } = this;
    if (!flow.leaves) this.#gaps.split();
    if (!flow.leaves || source === null || target === null) return false;
    const ground = { setup, connector: flow.source, source, target, topics: this.#book.topics() };
    await this.#gaps.look(ground, deadlineMs);
    const gaps = this.#gaps.kept();
    const same = JSON.stringify(gaps) === JSON.stringify(this.#facts.gaps ?? []);
    this.#facts = { ...this.#facts, gaps };
    return !same;
  }

  #compareIds(source: ClusterLayout | null, target: ClusterLayout | null): boolean {
    const { naming, sourceAlias } = this.#setup;
    const sourceIds: Record<string, string> = {};
    const targetIds: Record<string, string> = {};
    for (const topic of this.#book.topics()) {
      const [was, wasCopy] = [this.#facts.sourceIds[topic], this.#facts.targetIds[topic]];
      const is = source?.topics.get(topic)?.id ?? was;
      const isCopy = target?.topics.get(remoteTopic(naming, sourceAlias, topic))?.id ?? wasCopy;
      if (wasCopy !== undefined && isCopy !== wasCopy) this.#forget(topic);
      else if (was !== undefined && is !== was) this.#book.sourceRenewed(topic);
      if (is !== undefined) sourceIds[topic] = is;
      if (isCopy !== undefined) targetIds[topic] = isCopy;
    }
    const same =
      JSON.stringify([sourceIds, targetIds]) === JSON.stringify([this.#facts.sourceIds, this.#facts.targetIds]);
    this.#facts = { ...this.#facts, sourceIds, targetIds };
    return !same;
  }
}

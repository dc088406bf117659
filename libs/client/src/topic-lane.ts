import type { Message, ProducerRecord, RecordMetadata } from 'kafkajs';
import { classifyFailure, saysOfMetadata } from './classify-failure.js';
import { asError } from './client.errors.js';
import type { BlockedReason, SendOutcome } from './client.types.js';
import { judgeRefusedWrite } from './judge-refused-write.js';
import { LaneQueue } from './lane-queue.js';
import type { Piece } from './lane-queue.js';
import type { ProducerSession } from './producer-session.js';
import { metadataOf } from './send-item.js';
import type { SendItem } from './send-item.js';
import { backoffMs } from './timing.js';

export type LaneHost = Readonly<{
  idempotent: boolean;
  session(): ProducerSession | null; // null: no pointer, or it names an unknown cluster
  paused(): boolean; // DRAIN or HOLD: only what may lie on the cluster already is brought to its end
  renew(session: ProducerSession): void; // its producer id is of no more use: go on with a fresh one
  isolate(session: ProducerSession): boolean; // its metadata fails, for this topic or for another; false: for this one
  answered(session: ProducerSession): void; // and nothing is left to repeat
  rested(): void; // nothing in flight any more
  refreshPointer(): Promise<boolean>;
  settle(item: SendItem, result: SendOutcome | Error): void;
  blocked(reason: BlockedReason, error: Error, topic: string): void;
}>;

type Request = Readonly<{ session: ProducerSession; pieces: readonly Piece[] }>;

type Refused = Readonly<{ session: ProducerSession; items: readonly SendItem[]; divided: boolean }>; // over partitions

const MAX_STRIKES = 3;

/**
 * All sends of one topic, one request in flight at a time, so that order survives every failure: what was not
 * answered is sent again before anything new. Waiting sends are joined into one request, which is what makes one in
 * flight fast enough.
 */
export class TopicLane {
  private readonly topic: string;
  private readonly host: LaneHost;
  private readonly queue = new LaneQueue();
  private inFlight: Request | null = null;
  private judging: symbol | null = null; // of the question under way; a switch makes its answer void
  private timer: NodeJS.Timeout | null = null;
  private failures = 0;
  private blockedAs: BlockedReason | null = null;
  private readonly acknowledgedBy = new Set<string>(); // clusters, over all sessions
  /** Of an idempotent producer: whose id the records carry whose end nobody knows; only its broker recognises them. */
  private held: ProducerSession | null = null;
  private givenUp: ProducerSession | null = null; // its sequence numbers are not those of the broker any more

  constructor(topic: string, host: LaneHost) {
    this.topic = topic;
    this.host = host;
  }

  /** No record of this topic has an end that nobody knows: the cluster may be fenced without making a duplicate. */
  get certain(): boolean {
    return this.inFlight === null && this.judging === null && !this.queue.uncertain;
  }

  get idle(): boolean {
    return this.inFlight === null && this.queue.empty;
  }

  enqueue(item: SendItem): void {
    this.queue.add(item);
    this.pump();
  }

  /** Whether it still needs that one's connection. */
  uses(session: ProducerSession): boolean {
    return this.inFlight?.session === session || this.held === session;
  }

  /** Another cluster: takes back what the old one has not answered and begins anew. */
  switched(): void {
    for (const { item } of this.inFlight?.pieces ?? []) item.maybeWritten = true;
    this.inFlight = null;
    this.judging = null;
    this.held = null;
    this.queue.restart();
    this.retryNow();
  }

  /** The same cluster again, or connected at last: no reason to wait any longer. */
  retryNow(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.failures = 0;
    this.pump();
  }

  /** Takes a send out. False if it is in flight, so that its end is unknown. */
  drop(item: SendItem): boolean {
    const inFlight = this.isInFlight(item);
    this.remove(item);
    return !inFlight;
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private get session(): ProducerSession | null {
    return this.held ?? this.host.session();
  }

  private pump(): void {
    const { session } = this;
    if (
      session === null ||
      !session.isConnected ||
      this.inFlight !== null ||
      this.judging !== null ||
      this.timer !== null
    )
      return;
    const pieces = this.queue.take(this.host.paused());
    const head = pieces[0]?.item;
    if (head === undefined) return;
    const request: Request = { session, pieces };
    this.inFlight = request;
    for (const { item } of pieces) item.attempts++;
    const { acks, timeout, compression } = head.record;
    const record: ProducerRecord = {
      topic: this.topic,
      messages: pieces.flatMap((p) => p.messages),
      acks: acks ?? -1,
      ...(timeout === undefined ? {} : { timeout }),
      ...(compression === undefined ? {} : { compression }),
    };
    session.send(record).then(
      (answer) => this.acknowledged(request, answer),
      (e: unknown) => this.failed(request, e),
    );
  }

  private acknowledged(request: Request, answer: readonly RecordMetadata[]): void {
    const { session, pieces } = request;
    const late = this.inFlight !== request;
    const before = new Map<number, number>();
    const partitionOf = (m: Message) => session.partitions.get(m);
    for (const { item, messages } of pieces) {
      const metadata = metadataOf(messages, answer, partitionOf, before);
      if (item.settled) continue;
      if (late) {
        if (messages.length === item.messages.length) this.acknowledgedLate(item, outcomeOf(item, session, metadata));
        continue;
      }
      item.metadata.push(...metadata);
      item.unanswered -= messages.length;
      if (item.unanswered > 0) continue;
      this.queue.remove(item);
      this.host.settle(item, outcomeOf(item, session, item.metadata));
    }
    if (late) return;
    this.inFlight = null;
    this.queue.answered();
    if (!this.queue.repeats) {
      this.held = null;
      this.host.answered(session);
    }
    this.failures = 0;
    this.blockedAs = null;
    this.acknowledgedBy.add(session.cluster);
    this.pump();
    this.host.rested();
  }

  private acknowledgedLate(item: SendItem, outcome: SendOutcome): void {
    if (this.isInFlight(item)) {
      item.lateAck = outcome; // on its way to the new cluster, whose answer counts more
      return;
    }
    // Acknowledged by the cluster left behind before it was sent again: sending it now would be a known duplicate.
    this.remove(item);
    this.host.settle(item, outcome);
  }

  private isInFlight(item: SendItem): boolean {
    return this.inFlight?.pieces.some((p) => p.item === item) ?? false;
  }

  private failed(request: Request, error: unknown): void {
    if (this.inFlight !== request) return; // taken back at the switch
    this.inFlight = null;
    const { session } = request;
    const pieces = request.pieces.filter((p) => !p.item.settled);
    const items = [...new Set(pieces.map((p) => p.item))];
    const partitionOf = (m: Message) => session.partitions.get(m);
    const messages = pieces.flatMap((p) => p.messages);
    const partitions = new Set(messages.map(partitionOf));
    const divided = partitions.size > 1;
    this.queue.repeat(pieces, partitionOf);
    for (const item of items) item.lastError = error;
    const failure = classifyFailure(error);
    const placed = session.hasPlaced(request.pieces.flatMap((p) => p.messages));
    const ofMetadata = saysOfMetadata(failure, error, placed);
    // Metadata that failed before anything was sent, and a refusal by number of one batch, are the only answers that rule
    // out that something was written: a partition takes its batch whole or not at all.
    const byNumber = !ofMetadata && !['unavailable', 'unclear', 'producer-lost'].includes(failure.kind);
    const oneBatch = !divided && (!partitions.has(undefined) || messages.length === 1);
    if ((placed || !ofMetadata) && (!byNumber || !oneBatch)) {
      for (const item of items) item.maybeWritten = true;
      const leftUs = request.pieces.some((p) => p.messages.some((m) => partitionOf(m) !== undefined));
      if (leftUs) this.hold(session, items.length > 0 && pieces.length === request.pieces.length);
    }
    if (items.length === 0) {
      this.pump();
      return this.host.rested();
    }
    if (ofMetadata && this.goAlone(session)) return this.wait('unavailable', error);
    const refused: Refused = { session, items, divided };
    switch (failure.kind) {
      case 'unavailable':
      case 'topic-away':
        return this.wait('unavailable', error);
      case 'producer-lost':
        this.wait('unavailable', error); // before the fresh session, which must not be asked at once again
        return this.giveUp(session);
      case 'refused':
        return this.refuse(refused, error);
      case 'unclear':
        return this.strike(refused, error);
      case 'too-large':
      case 'not-authorized':
        void this.judge(refused, failure.kind, error);
    }
  }

  /**
   * The metadata failed, for this topic's sake or another's: only on a connection of its own does an error of it count
   * as this topic's. False if it has one already.
   */
  private goAlone(session: ProducerSession): boolean {
    if (!this.host.isolate(session)) return false;
    if (this.host.session() !== session) this.held = null; // it may fail for as long as the culprit stays as it is
    return true;
  }

  /** Goes on with the same producer id after an attempt whose end is unknown. */
  private hold(session: ProducerSession, complete: boolean): void {
    if (!this.host.idempotent) return;
    if (complete && session !== this.givenUp) this.held = session;
    else this.giveUp(session);
  }

  private giveUp(session: ProducerSession): void {
    this.givenUp = session;
    this.held = null;
    this.host.renew(session);
  }

  /**
   * Takes a record out that is not sent again. kafkajs took its sequence number back when the answer stayed away: if the
   * record was written after all, the broker would take the next one of that number for it, and acknowledge what it
   * never wrote.
   */
  private remove(item: SendItem): void {
    const { held } = this;
    if (held !== null && item.maybeWritten && this.queue.repeated(item)) this.giveUp(held);
    this.queue.remove(item);
  }

  private async judge(refused: Refused, kind: 'too-large' | 'not-authorized', error: unknown): Promise<void> {
    const { session, items } = refused;
    const question = Symbol(kind);
    this.judging = question;
    const verdict = await judgeRefusedWrite({
      kind,
      topic: this.topic,
      bytes: Math.max(...items.map((i) => i.bytes)),
      acknowledgedBefore: this.acknowledgedBy.has(session.cluster),
      refreshPointer: () => this.host.refreshPointer(),
      movedOn: () => this.session !== session,
      maxMessageBytes: () => session.port.maxMessageBytes(this.topic),
    });
    if (this.judging !== question) return;
    this.judging = null;
    if (verdict === 'moved-on') return this.retryNow();
    if (verdict === 'fenced') return this.wait('fenced', error);
    if (verdict === 'refused') return this.refuse(refused, error);
    return this.strike(refused, error);
  }

  /** Rejects what was refused, once it is known which send of a joined request it was. */
  private refuse(refused: Refused, error: unknown): void {
    const alone = this.narrow(refused);
    if (alone !== null) {
      this.remove(alone);
      this.host.settle(alone, asError(error));
    }
    this.pump();
    this.host.rested();
  }

  private strike(refused: Refused, error: unknown): void {
    const alone = this.narrow(refused);
    if (alone !== null && ++alone.strikes >= MAX_STRIKES) return this.refuse(refused, error);
    this.wait('unavailable', error);
  }

  /** The one send that was refused, or null: then the suspects are fewer the next time. */
  private narrow({ items, divided }: Refused): SendItem | null {
    if (!divided && items.length > 1) this.queue.split(items);
    const [first] = items;
    return items.length === 1 && first !== undefined ? first : null;
  }

  private wait(reason: BlockedReason, error: unknown): void {
    if (this.blockedAs !== reason) this.host.blocked(reason, asError(error), this.topic);
    this.blockedAs = reason;
    this.host.rested();
    if (this.timer !== null) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.pump();
    }, backoffMs(this.failures++));
  }
}

function outcomeOf(item: SendItem, session: ProducerSession, metadata: RecordMetadata[]): SendOutcome {
  const resent = item.attempts > 1 && item.maybeWritten;
  return { cluster: session.cluster, epoch: session.epoch, resent, metadata };
}

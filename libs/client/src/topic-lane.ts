import type { Message, ProducerRecord, RecordMetadata } from 'kafkajs';
import { classifyFailure } from './classify-failure.js';
import { asError } from './client.errors.js';
import type { BlockedReason, SendOutcome } from './client.types.js';
import { judgeRefusedWrite } from './judge-refused-write.js';
import type { ProducerSession } from './producer-session.js';
import { metadataOf } from './send-item.js';
import type { SendItem } from './send-item.js';
import { backoffMs } from './timing.js';

export type LaneHost = Readonly<{
  session(): ProducerSession | null; // null: no pointer, or it names an unknown cluster
  paused(): boolean; // DRAIN or HOLD: only what may lie on the cluster already is brought to its end
  renew(session: ProducerSession): void; // the broker has forgotten this producer: go on with a fresh one
  rested(): void; // nothing in flight any more
  refreshPointer(): Promise<boolean>;
  settle(item: SendItem, result: SendOutcome | Error): void;
  blocked(reason: BlockedReason, error: Error, topic: string): void;
}>;

type Request = Readonly<{ session: ProducerSession; items: readonly SendItem[] }>;

// Together below any sensible max.message.bytes: joining sends must not make a request too large.
const JOIN_MAX_BYTES = 256 * 1024;
const JOIN_MAX_ITEMS = 500;
const MAX_STRIKES = 3;

/**
 * All sends of one topic, one request in flight at a time, so that order survives every failure: what was not
 * answered goes to the head of the queue again. Waiting sends are joined into one request, which is what makes one in
 * flight fast enough.
 */
export class TopicLane {
  private readonly topic: string;
  private readonly host: LaneHost;
  private waiting: SendItem[] = [];
  private inFlight: Request | null = null;
  private judging: symbol | null = null; // of the question under way; a switch makes its answer void
  private timer: NodeJS.Timeout | null = null;
  private failures = 0;
  private singly = 0; // so many sends go alone, to find the one that was refused
  private blockedAs: BlockedReason | null = null;
  private acknowledgedBy: ProducerSession | null = null;

  constructor(topic: string, host: LaneHost) {
    this.topic = topic;
    this.host = host;
  }

  /** No record of this topic has an end that nobody knows: the cluster may be fenced without making a duplicate. */
  get certain(): boolean {
    return this.inFlight === null && this.judging === null && !this.waiting.some((i) => i.maybeWritten);
  }

  enqueue(item: SendItem): void {
    this.waiting.push(item);
    this.pump();
  }

  /** Takes back what the old session has not answered and goes on with the present one. */
  switched(): void {
    if (this.inFlight !== null && this.inFlight.session !== this.host.session()) {
      const unanswered = this.inFlight.items.filter((i) => !i.settled);
      for (const item of unanswered) item.maybeWritten = true;
      this.waiting = [...unanswered, ...this.waiting];
      this.inFlight = null;
    }
    this.judging = null;
    this.retryNow();
  }

  /** The same cluster again, or connected at last: no reason to wait any longer. */
  retryNow(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.failures = 0;
    this.pump();
  }

  /** Takes a send out of the queue. False if it was not waiting there (so it is in flight). */
  drop(item: SendItem): boolean {
    const at = this.waiting.indexOf(item);
    if (at >= 0) this.waiting.splice(at, 1);
    return at >= 0;
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private pump(): void {
    const session = this.host.session();
    if (
      session === null ||
      !session.isConnected ||
      this.inFlight !== null ||
      this.judging !== null ||
      this.timer !== null
    )
      return;
    const items = this.takeHead();
    const head = items[0];
    if (head === undefined) return;
    const request: Request = { session, items };
    this.inFlight = request;
    for (const item of items) item.attempts++;
    const { acks, timeout, compression } = head.record;
    const record: ProducerRecord = {
      topic: this.topic,
      messages: items.flatMap((i) => [...i.messages]),
      acks: acks ?? -1,
      ...(timeout === undefined ? {} : { timeout }),
      ...(compression === undefined ? {} : { compression }),
    };
    session.producer.send(record).then(
      (answer) => this.acknowledged(request, answer),
      (e: unknown) => this.failed(request, e),
    );
  }

  private takeHead(): readonly SendItem[] {
    const head = this.waiting[0];
    if (head === undefined) return [];
    let [count, bytes] = [0, 0];
    const paused = this.host.paused();
    for (const item of this.waiting) {
      if (paused && !item.maybeWritten) break; // these stand first: they went out before the others came
      const alike =
        item.record.acks === head.record.acks &&
        item.record.timeout === head.record.timeout &&
        item.record.compression === head.record.compression;
      if (count > 0 && (!alike || count >= JOIN_MAX_ITEMS || bytes + item.bytes > JOIN_MAX_BYTES)) break;
      count++;
      bytes += item.bytes;
      if (this.singly > 0) break;
    }
    if (this.singly > 0) this.singly--;
    return this.waiting.splice(0, count);
  }

  private acknowledged(request: Request, answer: readonly RecordMetadata[]): void {
    const { session, items } = request;
    const late = this.inFlight !== request;
    const before = new Map<number, number>();
    const partitionOf = (m: Message) => session.partitions.get(m);
    for (const item of items) {
      const metadata = metadataOf(item, answer, partitionOf, before);
      if (item.settled) continue;
      const resent = item.attempts > 1 && item.maybeWritten;
      const outcome: SendOutcome = { cluster: session.cluster, epoch: session.epoch, resent, metadata };
      if (!late) this.host.settle(item, outcome);
      else if (this.waiting.includes(item)) {
        // Acknowledged by the cluster left behind before it was sent again: sending it now would be a known duplicate.
        this.drop(item);
        this.host.settle(item, outcome);
      } else item.lateAck = outcome; // on its way to the new cluster, whose answer counts more
    }
    if (late) return;
    this.inFlight = null;
    this.failures = 0;
    this.blockedAs = null;
    this.acknowledgedBy = session;
    this.pump();
    this.host.rested();
  }

  private failed(request: Request, error: unknown): void {
    if (this.inFlight !== request) return; // taken back at the switch
    this.inFlight = null;
    const items = request.items.filter((i) => !i.settled);
    for (const item of items) item.lastError = error;
    const failure = classifyFailure(error);
    // A refusal by number of a single record is the only answer that rules out that something was written.
    const byNumber = !['unavailable', 'unclear', 'producer-lost'].includes(failure.kind);
    if (!byNumber || items.length > 1 || (items[0]?.messages.length ?? 0) > 1)
      for (const item of items) item.maybeWritten = true;
    this.waiting = [...items, ...this.waiting];
    if (items.length === 0) return this.pump();
    switch (failure.kind) {
      case 'unavailable':
        return this.wait('unavailable', error);
      case 'producer-lost':
        this.wait('unavailable', error); // before the fresh session, which must not be asked at once again
        return this.host.renew(request.session);
      case 'refused':
        return this.refuse(items, error);
      case 'unclear':
        return this.strike(items, error);
      case 'too-large':
      case 'not-authorized':
        void this.judge(request.session, items, failure.kind, error);
    }
  }

  private async judge(
    session: ProducerSession,
    items: readonly SendItem[],
    kind: 'too-large' | 'not-authorized',
    error: unknown,
  ): Promise<void> {
    const question = Symbol(kind);
    this.judging = question;
    const verdict = await judgeRefusedWrite({
      kind,
      topic: this.topic,
      bytes: Math.max(...items.map((i) => i.bytes)),
      acknowledgedBefore: this.acknowledgedBy === session,
      refreshPointer: () => this.host.refreshPointer(),
      movedOn: () => this.host.session() !== session,
      maxMessageBytes: () => session.port.maxMessageBytes(this.topic),
    });
    if (this.judging !== question) return;
    this.judging = null;
    if (verdict === 'moved-on') return this.retryNow();
    if (verdict === 'fenced') return this.wait('fenced', error);
    if (verdict === 'refused') return this.refuse(items, error);
    return this.strike(items, error);
  }

  /** Rejects what was refused, once it is known which send of a joined request it was. */
  private refuse(items: readonly SendItem[], error: unknown): void {
    if (items.length > 1) this.singly = items.length;
    else
      for (const item of items) {
        this.drop(item);
        this.host.settle(item, asError(error));
      }
    this.pump();
    this.host.rested();
  }

  private strike(items: readonly SendItem[], error: unknown): void {
    if (items.length > 1) this.singly = items.length;
    const alone = items.length === 1 ? items[0] : undefined;
    if (alone !== undefined && ++alone.strikes >= MAX_STRIKES) return this.refuse(items, error);
    this.wait('unavailable', error);
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

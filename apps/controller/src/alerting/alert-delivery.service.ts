import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { LEADERSHIP } from '../leadership/leadership.port.js';
import type { Leadership } from '../leadership/leadership.port.js';
import type { DeliveryRow, PendingAlert } from '../persistence/alerts.port.js';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { Alert, AuthorityStore } from '../persistence/authority-store.port.js';
import type { AlertBacklog, Alerting } from './alerting.port.js';
import { ALERTING_OPTIONS, compileAlertingOptions } from './alerting.options.js';
import type { AlertingOptions, CompiledAlertingOptions } from './alerting.options.js';
import { BullQueue } from './delivery/bull-queue.js';
import { DeliveryDesk } from './delivery/delivery-desk.js';
import { deliveryKey } from './delivery/delivery-queue.port.js';
import type { AttemptResult, Delivery } from './delivery/delivery-queue.port.js';
import { InProcessQueue } from './delivery/in-process-queue.js';
import { LookLoop } from './delivery/look-loop.js';
import { OutboxWalk } from './delivery/outbox-walk.js';
import type { MayHave, Taken } from './delivery/outbox-walk.js';
import { TakeOver } from './delivery/take-over.js';
import { FORMATS } from './receivers/formats.js';
import { Senders } from './receivers/senders.js';
import { receiversFor } from './routes.js';

/** Rows of the outbox read at once. */
const PAGE = 1_000;

/**
 * Delivers alerts at least once, each with one stable id. The outbox is the truth: the leader reads it and hands what is
 * owed to a queue (Redis, or this process). A queue that loses, delays or refuses a delivery is seen by what the outbox
 * does not say, and this process carries it instead. Whoever takes over the lead reads the same rows.
 * NOT guaranteed: exactly once (receivers drop repeats by id), and a direct alert survives no crash.
 */
@Injectable()
export class AlertDelivery implements Alerting, AlertBacklog, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('alerting');
  private readonly options: CompiledAlertingOptions;
  private readonly senders: Senders;
  private readonly desk: DeliveryDesk;
  private readonly lanes: InProcessQueue;
  private readonly takeOver: TakeOver;
  private readonly walk: OutboxWalk;
  private readonly looks: LookLoop;
  private bull: BullQueue | null = null;
  private stopped = false;
  private storeFailing = false;
  private redisFailing = false;
  private unsubscribe: () => void = () => undefined;

  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(ALERTING_OPTIONS) options: AlertingOptions,
  ) {
    this.options = compileAlertingOptions(options);
    this.senders = new Senders(this.options);
    this.desk = new DeliveryDesk((to, alert, signal) => this.senders.send(to, alert, signal), this.options, {
      mark: (id, receiver, outcome) => this.mark(id, receiver, outcome),
      delivered: ({ alert, receiver }) => {
        this.takeOver.ended(alert.id, receiver);
        this.looks.soon();
      },
      failed: (delivery, attempts, error, dead) => this.failed(delivery, attempts, error, dead),
    });
    const names = this.options.receivers.map((r) => r.name);
    this.lanes = new InProcessQueue(names, (delivery, signal) => this.desk.attempt(delivery, signal), {
      maxQueued: this.options.maxQueued,
      dropped: ({ receiver, alert }) =>
        this.log.error(`receiver ${receiver}: queue full, alert ${alert.id} (${alert.type}) dropped`),
    });
    const { takeOverMs, maxQueued } = this.options;
    this.takeOver = new TakeOver(takeOverMs, maxQueued, (attempts) => this.desk.delayMs(attempts));
    this.walk = new OutboxWalk(names, PAGE, {
      read: (limit, after) => this.store.pendingAlerts(limit, after),
      take: (row, mayHave) => this.take(row, mayHave),
      hasRoom: (name) => (this.bull === null ? this.lanes : this.takeOver).hasRoom(name),
    });
    this.looks = new LookLoop(() => this.look(), this.options.pollMs);
  }

  onApplicationBootstrap(): void {
    this.bull = this.openBull();
    this.unsubscribe = this.leadership.onChange((view) => {
      if (view.leading) this.nudge();
      else this.forgetOutbox();
    });
    this.nudge();
  }

  nudge(): void {
    this.looks.now();
  }

  direct(alert: Alert): void {
    for (const { name } of receiversFor(alert, this.options)) this.lanes.putDirect(deliveryOf(alert, name));
  }

  pending(): number {
    return this.walk.open() + new Set(this.lanes.direct().map((d) => d.alert.id)).size;
  }

  /** What new deliveries are handed to at this instant. */
  carriedBy(): 'redis' | 'process' {
    return this.bull?.isUp() === true ? 'redis' : 'process';
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    this.unsubscribe();
    await this.looks.close();
    await Promise.all([this.lanes.close(), this.bull?.close()]);
    await this.desk.idle();
    await this.senders.close();
  }

  private openBull(): BullQueue | null {
    const { redis, redisAnswerMs, receivers } = this.options;
    if (redis === null || receivers.length === 0) return null;
    const queues = receivers.map(({ name, kind }) => ({ name, minGapMs: FORMATS[kind].minGapMs }));
    return new BullQueue(
      { ...redis, answerMs: redisAnswerMs, receivers: queues },
      (delivery, signal) => this.attemptQueued(delivery, signal),
      {
        up: () => {
          if (this.redisFailing) this.log.log('Redis answers: it carries new alerts again');
          this.redisFailing = false;
        },
        down: (why) => {
          if (!this.redisFailing) this.log.warn(`Redis: ${why}; alerts are carried in this process meanwhile`);
          this.redisFailing = true;
          this.nudge();
        },
      },
    );
  }

  /** What comes back from Redis may have been delivered by another since, or may be of a round that is over. */
  private async attemptQueued(delivery: Delivery, signal: AbortSignal): Promise<AttemptResult> {
    try {
      const row = await this.store.alert(delivery.alert.id);
      const known = row?.deliveries.find((d) => d.receiver === delivery.receiver);
      if (known && (known.deliveredAt ?? known.deadAt) !== null) return { next: 'done' };
      if (known && known.round !== delivery.round) return { next: 'done' };
    } catch {
      // The store is down: better told twice than not at all.
    }
    return this.desk.attempt(delivery, signal);
  }

  private forgetOutbox(): void {
    this.walk.forget();
    this.lanes.forgetOutbox();
    this.takeOver.forget();
  }

  private async look(): Promise<void> {
    if (!this.leadership.current().leading) return this.forgetOutbox();
    try {
      await this.walk.look();
      this.storeFailing = false;
    } catch (e) {
      if (!this.storeFailing)
        this.log.warn(`outbox not readable, next look in ${this.options.pollMs} ms: ${String(e)}`);
      this.storeFailing = true;
    }
  }

  /** Hands a row to a queue for each receiver that it is still owed to. Open until nobody is: then the row is settled. */
  private async take({ alert, resends, deliveries }: PendingAlert, mayHave: MayHave): Promise<Taken> {
    let open = false;
    const refused: string[] = [];
    for (const { name } of receiversFor(alert, this.options, deliveries)) {
      const known = deliveries.find((d) => d.receiver === name);
      if ((known?.deliveredAt ?? known?.deadAt ?? null) !== null) {
        this.takeOver.ended(alert.id, name);
        continue;
      }
      const delivery = deliveryOf(alert, name, known);
      if (this.desk.isEnded(delivery.key)) {
        await this.repeatMark(delivery);
        continue;
      }
      open = true;
      if (mayHave(name) && !(await this.hand(delivery))) refused.push(name);
    }
    if (!open) {
      await this.store.settleAlert(alert.id, resends, new Date().toISOString());
      for (const { name } of this.options.receivers) this.takeOver.ended(alert.id, name);
    }
    return { open, refused };
  }

  /** Ended by this process, but the mark did not reach the store (or it went out by the direct path). */
  private async repeatMark({ alert, receiver, key, round }: Delivery): Promise<void> {
    const at = new Date().toISOString();
    const gaveUp = { failedAt: at, error: 'given up', dead: true, round };
    await this.store.markAlert(alert.id, receiver, this.desk.wasDelivered(key) ? { deliveredAt: at } : gaveUp);
  }

  /** To Redis if there is one; here if there is none, if it says no, or if nothing came of it in time. False: no room. */
  private async hand(delivery: Delivery): Promise<boolean> {
    if (this.lanes.adopt(delivery)) return true;
    if (this.bull === null) return this.lanes.put(delivery);
    const step = this.takeOver.next(delivery, performance.now());
    if (step === 'wait') return true;
    if (step === 'full') return false;
    if (step === 'here') return this.lanes.put(delivery);
    // Not waited for: a Redis that is slow must not hold up the next receiver.
    void this.bull.put(delivery).then(async (held) => {
      if (held || this.stopped || !this.leadership.current().leading) return;
      this.takeOver.refused(delivery);
      await this.lanes.put(delivery);
    });
    return true;
  }

  private failed(delivery: Delivery, attempts: number, error: string, dead: boolean): void {
    const { receiver, alert } = delivery;
    const end = dead ? '; given up, see `pointsman alert list --state dead`' : '';
    this.log.warn(`receiver ${receiver}: alert ${alert.id} (${alert.type}), attempt ${attempts}: ${error}${end}`);
    if (!this.storeFailing && this.leadership.current().leading) return;
    // The outbox cannot be asked who failed too often: the second channel is told from here.
    const known = [{ receiver, attempts, deliveredAt: null, deadAt: dead ? alert.at : null }];
    for (const { name } of receiversFor(alert, this.options, known)) {
      const second = deliveryOf(alert, name);
      if (name !== receiver && !this.desk.isEnded(second.key)) this.lanes.putDirect(second);
    }
  }

  private async mark(id: string, receiver: string, outcome: Parameters<AuthorityStore['markAlert']>[2]): Promise<void> {
    try {
      await this.store.markAlert(id, receiver, outcome);
    } catch (e) {
      // Not fatal: the desk remembers how it ended, and the next look marks it.
      this.log.warn(`receiver ${receiver}: alert ${id}: outcome not recorded: ${String(e)}`);
    }
  }
}

function deliveryOf(alert: Alert, receiver: string, known?: DeliveryRow): Delivery {
  const round = known?.round ?? 1;
  return { key: deliveryKey(alert.id, receiver, round), receiver, round, alert, attempts: known?.attempts ?? 0 };
}

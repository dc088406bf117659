import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { LEADERSHIP } from '../leadership/leadership.port.js';
import type { Leadership } from '../leadership/leadership.port.js';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { Alert, AuthorityStore, OutboxRow } from '../persistence/authority-store.port.js';
import type { AlertBacklog, Alerting } from './alerting.port.js';
import { ALERTING_OPTIONS, compileAlertingOptions } from './alerting.options.js';
import type { AlertingOptions, CompiledAlertingOptions, WebhookReceiver } from './alerting.options.js';
import { DeliveryLane } from './delivery-lane.js';
import type { SendOutcome } from './webhook/webhook-sender.js';
import { webhookSender } from './webhook/webhook-sender.js';

const BATCH = 1_000;

/**
 * Delivers alerts at least once, each with one stable id. The leader reads the outbox; whoever takes over reads the same
 * rows, so a killed leader loses nothing and may repeat at most what it had sent and not yet marked.
 * NOT guaranteed: exactly once (receivers drop repeats by `webhook-id`), and a direct alert survives no crash.
 */
@Injectable()
export class AlertDelivery implements Alerting, AlertBacklog, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('alerting');
  private readonly options: CompiledAlertingOptions;
  private readonly lanes: ReadonlyMap<string, DeliveryLane>;
  private timer: NodeJS.Timeout | null = null;
  private looking: Promise<void> | null = null;
  private lookAgain = false;
  private stopped = false;
  private storeFailing = false;
  private outboxIds: readonly string[] = [];
  private unsubscribe: () => void = () => undefined;

  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(ALERTING_OPTIONS) options: AlertingOptions,
  ) {
    this.options = compileAlertingOptions(options);
    this.lanes = new Map(this.options.receivers.map((r) => [r.name, this.laneFor(r)]));
  }

  onApplicationBootstrap(): void {
    this.unsubscribe = this.leadership.onChange((view) => {
      if (view.leading) this.nudge();
      else this.forgetOutbox();
    });
    this.nudge();
  }

  nudge(): void {
    if (this.stopped) return;
    if (this.looking) {
      this.lookAgain = true;
      return;
    }
    if (this.timer) clearTimeout(this.timer);
    this.looking = this.look().finally(() => {
      this.looking = null;
      if (this.stopped) return;
      const wait = this.lookAgain ? 0 : this.options.pollMs;
      this.lookAgain = false;
      this.timer = setTimeout(() => this.nudge(), wait);
      this.timer.unref();
    });
  }

  direct(alert: Alert): void {
    for (const lane of this.lanesFor(alert)) lane.offer(alert, 'direct', 0);
  }

  pending(): number {
    const waiting = new Set(this.outboxIds);
    for (const lane of this.lanes.values()) for (const id of lane.waiting()) waiting.add(id);
    return waiting.size;
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    this.unsubscribe();
    if (this.timer) clearTimeout(this.timer);
    await this.looking;
    await Promise.all([...this.lanes.values()].map((lane) => lane.close()));
  }

  private laneFor(receiver: WebhookReceiver): DeliveryLane {
    return new DeliveryLane(receiver.name, webhookSender(receiver, this.options.timeoutMs), this.options, {
      attempted: (alert, outcome, attempts) => void this.attempted(receiver.name, alert, outcome, attempts),
      dropped: (alert) =>
        this.log.error(`receiver ${receiver.name}: queue full, alert ${alert.id} (${alert.type}) dropped`),
    });
  }

  private lanesFor(alert: Alert): readonly DeliveryLane[] {
    return this.options.receivers
      .filter((r) => r.events === null || r.events.includes(alert.type))
      .flatMap((r) => this.lanes.get(r.name) ?? []);
  }

  private forgetOutbox(): void {
    this.outboxIds = [];
    for (const lane of this.lanes.values()) lane.forgetOutbox();
  }

  private async look(): Promise<void> {
    if (!this.leadership.current().leading) return this.forgetOutbox();
    try {
      const rows = await this.store.pendingAlerts(BATCH);
      this.storeFailing = false;
      const open: string[] = [];
      for (const row of rows) if (!(await this.take(row))) open.push(row.alert.id);
      this.outboxIds = open;
    } catch (e) {
      if (!this.storeFailing)
        this.log.warn(`outbox not readable, next look in ${this.options.pollMs} ms: ${String(e)}`);
      this.storeFailing = true;
    }
  }

  /** Hands a row to the lanes that still owe it. True once nobody does: then the row is settled. */
  private async take(row: OutboxRow): Promise<boolean> {
    let owed = false;
    for (const lane of this.lanesFor(row.alert)) {
      const known = row.deliveries.find((d) => d.receiver === lane.receiver);
      if (known?.deliveredAt) continue;
      if (lane.wasDelivered(row.alert.id)) {
        // Delivered by this process, but the mark did not reach the store (or it went out by the direct path).
        await this.store.markAlert(row.alert.id, lane.receiver, { deliveredAt: new Date().toISOString() });
        continue;
      }
      if (lane.isSettled(row.alert.id) || (known?.attempts ?? 0) >= this.options.maxAttempts) continue;
      owed = true;
      lane.offer(row.alert, 'outbox', known?.attempts ?? 0);
    }
    if (!owed) await this.store.settleAlert(row.alert.id, new Date().toISOString());
    return !owed;
  }

  private async attempted(receiver: string, alert: Alert, outcome: SendOutcome, attempts: number): Promise<void> {
    const at = new Date().toISOString();
    if (!outcome.ok) {
      this.log.warn(`receiver ${receiver}: alert ${alert.id} (${alert.type}), attempt ${attempts}: ${outcome.error}`);
    }
    try {
      await this.store.markAlert(
        alert.id,
        receiver,
        outcome.ok ? { deliveredAt: at } : { failedAt: at, error: outcome.error },
      );
      if (outcome.ok) this.nudge();
    } catch (e) {
      // Not fatal: the lane remembers the delivery, and the next look marks it.
      this.log.warn(`receiver ${receiver}: alert ${alert.id}: outcome not recorded: ${String(e)}`);
    }
  }
}

import type { Attempt, Delivery, DeliveryQueue } from './delivery-queue.port.js';
import { BullGeneration } from './bull-generation.js';
import type { BullSettings } from './bull-generation.js';

export type BullQueueEvents = Readonly<{ up(): void; down(why: string): void }>;

/** How long a Redis that failed is left alone before it is tried again. */
const RETRY_MS = 2_000;

/**
 * BullMQ over Redis. All controllers work on the same queues, so a controller that cannot reach a receiver does not keep
 * another from it. Whatever goes wrong, the connection and BullMQ's objects are thrown away and made anew after a while:
 * neither survives every way in which a Redis can die. Meanwhile `put` says no at once.
 * NOT guaranteed: that Redis still has what it took. The outbox is asked by whoever feeds this.
 */
export class BullQueue implements DeliveryQueue {
  private live: BullGeneration | null = null;
  private making: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(
    private readonly settings: BullSettings,
    private readonly attempt: Attempt,
    private readonly events: BullQueueEvents,
  ) {
    this.open();
  }

  async put(delivery: Delivery): Promise<boolean> {
    const { live } = this;
    if (live === null) return false;
    try {
      await live.put(delivery);
      return true;
    } catch (error) {
      this.fail(live, error);
      return false;
    }
  }

  isUp(): boolean {
    return this.live !== null;
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.timer) clearTimeout(this.timer);
    await this.making;
    await this.live?.close(true);
    this.live = null;
  }

  private open(): void {
    if (this.closed || this.making !== null || this.live !== null) return;
    this.making = this.make()
      .catch((error: unknown) => {
        this.events.down(told(error));
        this.later();
      })
      .finally(() => {
        this.making = null;
      });
  }

  private async make(): Promise<void> {
    const made = await BullGeneration.open(this.settings, this.attempt, (generation, e) => this.fail(generation, e));
    if (this.closed) return made.close(true);
    this.live = made;
    this.events.up();
  }

  private fail(generation: BullGeneration, error: unknown): void {
    if (this.live !== generation) return;
    this.live = null;
    this.events.down(told(error));
    void generation.close(false);
    this.later();
  }

  private later(): void {
    if (this.closed) return;
    this.timer = setTimeout(() => this.open(), RETRY_MS);
    this.timer.unref();
  }
}

const told = (error: unknown): string => (error instanceof Error ? error.message : String(error));

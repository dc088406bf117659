import { DeliveryLane } from './delivery-lane.js';
import type { Attempt, Delivery, DeliveryQueue } from './delivery-queue.port.js';

/** A lane per receiver, in memory: needs nothing, keeps nothing over a restart (the outbox does). */
export class InProcessQueue implements DeliveryQueue {
  private readonly lanes: ReadonlyMap<string, DeliveryLane>;

  constructor(
    receivers: readonly string[],
    attempt: Attempt,
    limits: Readonly<{ maxQueued: number; dropped: (delivery: Delivery) => void }>,
  ) {
    const { maxQueued, dropped } = limits;
    this.lanes = new Map(receivers.map((name) => [name, new DeliveryLane(attempt, maxQueued, dropped)]));
  }

  async put(delivery: Delivery): Promise<boolean> {
    return this.lanes.get(delivery.receiver)?.offer(delivery, 'outbox') ?? false;
  }

  /** An alert that no outbox knows of: the oldest makes room when there is none. */
  putDirect(delivery: Delivery): void {
    this.lanes.get(delivery.receiver)?.offer(delivery, 'direct');
  }

  /** Whether this queue holds a delivery that the outbox has: from then on it is one of the outbox. */
  adopt({ receiver, key }: Delivery): boolean {
    return this.lanes.get(receiver)?.adopt(key) ?? false;
  }

  hasRoom(receiver: string): boolean {
    return this.lanes.get(receiver)?.hasRoom() ?? false;
  }

  /** What no outbox is known to have. */
  direct(): readonly Delivery[] {
    return [...this.lanes.values()].flatMap((lane) => lane.direct());
  }

  forgetOutbox(): void {
    for (const lane of this.lanes.values()) lane.forgetOutbox();
  }

  async close(): Promise<void> {
    await Promise.all([...this.lanes.values()].map((lane) => lane.close()));
  }
}

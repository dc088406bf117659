import type { EntityManager } from 'typeorm';
import { In, IsNull } from 'typeorm';
import type { OutboxRow } from './authority-store.port.js';
import { AlertDeliveryEntity } from './entities/alert-delivery.entity.js';
import { AlertEntity } from './entities/alert.entity.js';
import { groupBy, outboxFromEntity } from './rows.js';
import { isDuplicate } from './store-errors.js';
import type { StoreSession } from './store-session.js';

type Outcome = Readonly<{ deliveredAt: string } | { failedAt: string; error: string }>;

/** Delivery marks: guarded by their own row, because whoever delivered must be able to say so, leader or not. */
export class TypeOrmOutbox {
  constructor(private readonly session: StoreSession) {}

  pending(limit: number): Promise<readonly OutboxRow[]> {
    return this.session.run('read the outbox', async (manager) => {
      const alerts = await manager.find(AlertEntity, {
        where: { settledAt: IsNull() },
        order: { seq: 'ASC' },
        take: limit,
      });
      if (alerts.length === 0) return [];
      const marks = await manager.find(AlertDeliveryEntity, {
        where: { alertId: In(alerts.map((a) => a.id)) },
        order: { receiver: 'ASC' },
      });
      const byAlert = groupBy(marks, (mark) => mark.alertId);
      return alerts.map((alert) => outboxFromEntity(alert, byAlert.get(alert.id) ?? []));
    });
  }

  async settle(id: string, at: string): Promise<void> {
    await this.session.run('settle an alert', (manager) =>
      manager.update(AlertEntity, { id, settledAt: IsNull() }, { settledAt: at }),
    );
  }

  async mark(alertId: string, receiver: string, outcome: Outcome): Promise<void> {
    await this.session.run('mark a delivery', async (manager) => {
      if (await countAttempt(manager, alertId, receiver, outcome)) return;
      try {
        await manager.insert(AlertDeliveryEntity, { alertId, receiver, attempts: 1, ...columns(outcome) });
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        // Another process inserted it in between, or it was delivered before: then the first success stands.
        await countAttempt(manager, alertId, receiver, outcome);
      }
    });
  }
}

/** A delivery that succeeded is never turned into a failure by a late mark. */
async function countAttempt(manager: EntityManager, alertId: string, receiver: string, outcome: Outcome) {
  const open = { alertId, receiver, deliveredAt: IsNull() };
  const result = await manager.update(AlertDeliveryEntity, open, {
    attempts: () => 'attempts + 1',
    ...columns(outcome),
  });
  return result.affected === 1;
}

const columns = (outcome: Outcome) =>
  'deliveredAt' in outcome
    ? { attemptedAt: outcome.deliveredAt, deliveredAt: outcome.deliveredAt, lastError: null }
    : { attemptedAt: outcome.failedAt, deliveredAt: null, lastError: outcome.error };

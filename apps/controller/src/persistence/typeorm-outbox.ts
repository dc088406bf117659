import type { EntityManager, FindOptionsWhere } from 'typeorm';
import { In, IsNull, MoreThan, Not } from 'typeorm';
import type { AlertState, DeliveryOutcome, OutboxRow, PendingAlert } from './alerts.port.js';
import { AlertDeliveryEntity } from './entities/alert-delivery.entity.js';
import { AlertEntity } from './entities/alert.entity.js';
import { groupBy, outboxFromEntity } from './rows.js';
import { isDuplicate } from './store-errors.js';
import type { StoreSession } from './store-session.js';

/** Delivery marks: guarded by their own row, because whoever delivered must be able to say so, leader or not. */
export class TypeOrmOutbox {
  constructor(private readonly session: StoreSession) {}

  /** By the index on (settled_at, seq), so a page costs the same wherever it begins. */
  pending(limit: number, after = 0): Promise<readonly PendingAlert[]> {
    return this.session.run('read the outbox', (m) =>
      findNumbered(m, { settledAt: IsNull(), seq: MoreThan(after) }, 'ASC', limit),
    );
  }

  list(state: AlertState, limit: number): Promise<readonly OutboxRow[]> {
    return this.session.run('list the alerts', async (m) => {
      if (state === 'all') return find(m, {}, 'DESC', limit);
      if (state === 'pending') return find(m, { settledAt: IsNull() }, 'DESC', limit);
      const dead = await m.find(AlertDeliveryEntity, {
        where: { deadAt: Not(IsNull()) },
        order: { deadAt: 'DESC' },
        take: limit,
      });
      return find(m, { id: In(dead.map((mark) => mark.alertId)) }, 'DESC', limit);
    });
  }

  one(id: string): Promise<OutboxRow | null> {
    return this.session.run('read an alert', async (m) => (await find(m, { id }, 'ASC', 1))[0] ?? null);
  }

  /** Under the count that was read with the marks: who was found to be owed nothing may be owed a new round since. */
  async settle(id: string, resends: number, at: string): Promise<void> {
    await this.session.run('settle an alert', (manager) =>
      manager.update(AlertEntity, { id, resends, settledAt: IsNull() }, { settledAt: at }),
    );
  }

  async mark(alertId: string, receiver: string, outcome: DeliveryOutcome): Promise<void> {
    await this.session.run('mark a delivery', async (manager) => {
      if (await countAttempt(manager, alertId, receiver, outcome)) return;
      try {
        await manager.insert(AlertDeliveryEntity, { alertId, receiver, attempts: 1, round: 1, ...columns(outcome) });
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        // Another process inserted it in between, or it was delivered before: then the first success stands.
        await countAttempt(manager, alertId, receiver, outcome);
      }
    });
  }
}

/** A new round for dead letters; inside a guarded transaction. A mark may come in between: each row is asked again. */
export async function resendIn(
  manager: EntityManager,
  alertId: string,
  receivers: readonly string[] | null,
): Promise<readonly string[]> {
  const named = receivers === null ? {} : { receiver: In([...receivers]) };
  const where = { alertId, deadAt: Not(IsNull()), deliveredAt: IsNull(), ...named };
  const dead = await manager.find(AlertDeliveryEntity, { where, order: { receiver: 'ASC' } });
  const opened: string[] = [];
  for (const { receiver, round } of dead) {
    const changed = await manager.update(
      AlertDeliveryEntity,
      { alertId, receiver, round, deadAt: Not(IsNull()) },
      { deadAt: null, attempts: 0, round: round + 1 },
    );
    if (changed.affected === 1) opened.push(receiver);
  }
  // Counted, so that whoever looked at the round before cannot settle this one.
  if (opened.length > 0)
    await manager.update(AlertEntity, { id: alertId }, { settledAt: null, resends: () => 'resends + 1' });
  return opened;
}

async function find(...query: Parameters<typeof findNumbered>): Promise<readonly OutboxRow[]> {
  return (await findNumbered(...query)).map(({ seq: _seq, resends: _resends, ...row }) => row);
}

async function findNumbered(
  manager: EntityManager,
  where: FindOptionsWhere<AlertEntity>,
  seq: 'ASC' | 'DESC',
  limit: number,
): Promise<readonly PendingAlert[]> {
  // Before their marks: those are then at least as new as the count that settles the row.
  const alerts = await manager.find(AlertEntity, { where, order: { seq }, take: limit });
  if (alerts.length === 0) return [];
  const marks = await manager.find(AlertDeliveryEntity, {
    where: { alertId: In(alerts.map((a) => a.id)) },
    order: { receiver: 'ASC' },
  });
  const byAlert = groupBy(marks, (mark) => mark.alertId);
  return alerts.map((alert) => {
    const { seq: place, resends } = alert;
    return { ...outboxFromEntity(alert, byAlert.get(alert.id) ?? []), seq: place, resends };
  });
}

/** A delivery that succeeded is never turned into a failure by a late mark; nor does one of an older round count. */
async function countAttempt(manager: EntityManager, alertId: string, receiver: string, outcome: DeliveryOutcome) {
  const round = 'round' in outcome && outcome.round !== undefined ? { round: outcome.round } : {};
  const open = { alertId, receiver, deliveredAt: IsNull(), ...round };
  const result = await manager.update(AlertDeliveryEntity, open, {
    attempts: () => 'attempts + 1',
    ...columns(outcome),
  });
  return result.affected === 1;
}

/** Only sending it again takes back that it was given up: marks of one round may come out of their order. */
const columns = (outcome: DeliveryOutcome) =>
  'deliveredAt' in outcome
    ? { attemptedAt: outcome.deliveredAt, deliveredAt: outcome.deliveredAt, lastError: null, deadAt: null }
    : {
        attemptedAt: outcome.failedAt,
        deliveredAt: null,
        lastError: outcome.error,
        ...(outcome.dead === true ? { deadAt: outcome.failedAt } : {}),
      };

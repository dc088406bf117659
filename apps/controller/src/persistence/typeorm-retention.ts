import type { EntityManager } from 'typeorm';
import { In, LessThan, Not } from 'typeorm';
import { AlertDeliveryEntity } from './entities/alert-delivery.entity.js';
import { AlertEntity } from './entities/alert.entity.js';
import { AnswerEntity } from './entities/answer.entity.js';
import { EventEntity } from './entities/event.entity.js';
import { IncidentEntity } from './entities/incident.entity.js';
import type { Forgotten } from './retention.port.js';

/** See `AuthorityTx.forget`. Every question uses an index and reads at most `limit` rows, however large the table is. */
export async function forgetRows(m: EntityManager, before: string, limit: number): Promise<Forgotten> {
  return {
    events: await forgetEvents(m, before, limit),
    alerts: await forgetAlerts(m, before, limit),
    incidents: await forgetIncidents(m, before, limit),
    answers: await forgetAnswers(m, before, limit),
  };
}

/** Events are in the order of their numbers, so only the oldest are looked at: no index on their time is needed. */
async function forgetEvents(m: EntityManager, before: string, limit: number): Promise<number> {
  const newest = await m.maximum(EventEntity, 'seq');
  const oldest = await m.find(EventEntity, { select: { seq: true, at: true }, order: { seq: 'ASC' }, take: limit });
  const old = oldest.filter((row) => row.at < before && row.seq !== Number(newest)).map((row) => row.seq);
  if (old.length > 0) await m.delete(EventEntity, { seq: In(old) });
  return old.length;
}

async function forgetAlerts(m: EntityManager, before: string, limit: number): Promise<number> {
  const newest = Number((await m.maximum(AlertEntity, 'seq')) ?? 0);
  const rows = await m.find(AlertEntity, {
    select: { id: true },
    where: { settledAt: LessThan(before), seq: Not(newest) },
    order: { settledAt: 'ASC' },
    take: limit,
  });
  if (rows.length === 0) return 0;
  const ids = In(rows.map((row) => row.id));
  await m.delete(AlertDeliveryEntity, { alertId: ids });
  await m.delete(AlertEntity, { id: ids });
  return rows.length;
}

async function forgetIncidents(m: EntityManager, before: string, limit: number): Promise<number> {
  const rows = await m.find(IncidentEntity, {
    select: { incident: true },
    where: { resolvedAt: LessThan(before) },
    order: { resolvedAt: 'ASC' },
    take: limit,
  });
  if (rows.length > 0) await m.delete(IncidentEntity, { incident: In(rows.map((row) => row.incident)) });
  return rows.length;
}

async function forgetAnswers(m: EntityManager, before: string, limit: number): Promise<number> {
  const rows = await m.find(AnswerEntity, {
    select: { key: true },
    where: { at: LessThan(before) },
    order: { at: 'ASC' },
    take: limit,
  });
  if (rows.length > 0) await m.delete(AnswerEntity, { key: In(rows.map((row) => row.key)) });
  return rows.length;
}

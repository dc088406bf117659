import type { EntityManager } from 'typeorm';
import { IsNull } from 'typeorm';
import { foldIncident } from './alerts.port.js';
import type { Alert, IncidentRow } from './alerts.port.js';
import { IncidentEntity } from './entities/incident.entity.js';

/** Writes what an alert adds to its incident; inside the guarded transaction, so "look, then write" is safe. */
export async function tellIncident(manager: EntityManager, alert: Alert): Promise<void> {
  const known = await manager.findOneBy(IncidentEntity, { incident: alert.incident });
  const body = foldIncident(known?.body ?? null, alert);
  const { incident, group, openedAt, resolvedAt } = body;
  await manager.upsert(IncidentEntity, { incident, group, openedAt, resolvedAt, body }, ['incident']);
}

export async function openIncidentsIn(
  manager: EntityManager,
  limit: number,
  group?: string,
): Promise<readonly IncidentRow[]> {
  const rows = await manager.find(IncidentEntity, {
    where: { resolvedAt: IsNull(), ...(group === undefined ? {} : { group }) },
    order: { openedAt: 'ASC', incident: 'ASC' },
    take: limit,
  });
  return rows.map((row) => row.body);
}

export async function incidentNamesIn(
  manager: EntityManager,
  group: string,
  limit: number,
): Promise<readonly string[]> {
  const rows = await manager.find(IncidentEntity, {
    select: { incident: true },
    where: { group },
    order: { openedAt: 'DESC', incident: 'DESC' },
    take: limit,
  });
  return rows.map(({ incident }) => incident);
}

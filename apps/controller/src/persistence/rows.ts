import type { Json, SagaRecord } from '#failover';
import { NEW_FLEET } from './authority-store.port.js';
import type {
  AuditRow,
  EventRow,
  FleetRow,
  GroupRow,
  IdempotentAnswer,
  LedgerRow,
  OutboxRow,
  SagaHead,
} from './authority-store.port.js';
import type { AlertDeliveryEntity } from './entities/alert-delivery.entity.js';
import type { AlertEntity } from './entities/alert.entity.js';
import type { AnswerEntity } from './entities/answer.entity.js';
import type { AuditEntity } from './entities/audit.entity.js';
import type { EventEntity } from './entities/event.entity.js';
import type { FleetEntity } from './entities/fleet.entity.js';
import type { GroupEntity } from './entities/group.entity.js';
import type { JournalEntryEntity } from './entities/journal-entry.entity.js';
import type { LedgerEntity } from './entities/ledger.entity.js';
import type { SagaEntity } from './entities/saga.entity.js';

/** Entities to the port's plain rows: copies field by field, so that no caller holds an object of TypeORM. */

const parse = (text: string): Json => JSON.parse(text) as Json;

/** `Map.groupBy` came after Node 20. */
export function groupBy<T, K>(items: readonly T[], key: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const members = groups.get(key(item));
    if (members) members.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

export function groupToEntity(row: GroupRow): GroupEntity {
  const { name, active, epoch, reservedEpoch, ...detail } = row;
  return { name, active, epoch, reservedEpoch, detail: JSON.stringify(detail) };
}

/** Parts that rows of an older version do not have. */
const ADDED_LATER = { modeSet: null, proposal: null, scheduled: null } as const satisfies Partial<GroupRow>;

export function groupFromEntity(entity: GroupEntity): GroupRow {
  const { name, active, epoch, reservedEpoch, detail } = entity;
  const stored = JSON.parse(detail) as Omit<GroupRow, 'name' | 'active' | 'epoch' | 'reservedEpoch'>;
  return { ...ADDED_LATER, ...stored, name, active, epoch, reservedEpoch };
}

export const fleetFromEntity = (entity: FleetEntity | null): FleetRow =>
  entity === null ? NEW_FLEET : { ...NEW_FLEET, ...(JSON.parse(entity.detail) as Partial<FleetRow>) };

export function sagaHeadFromEntity({ openGroup: _openGroup, ...columns }: SagaEntity): SagaHead {
  return columns;
}

export function sagaFromEntity(entity: SagaEntity, journal: readonly JournalEntryEntity[]): SagaRecord {
  return {
    ...sagaHeadFromEntity(entity),
    journal: journal.map(({ sagaId: _sagaId, ...entry }) => ({ ...entry, evidence: parse(entry.evidence) })),
  };
}

export function ledgerFromEntity({ ...columns }: LedgerEntity): LedgerRow {
  return columns;
}
export function eventFromEntity({ detail, ...columns }: EventEntity): EventRow {
  return { ...columns, detail: parse(detail) };
}
export function auditFromEntity({ detail, ...columns }: AuditEntity): AuditRow {
  return { ...columns, detail: parse(detail) };
}

export function answerFromEntity({ bodyHash, status, body, at }: AnswerEntity): IdempotentAnswer {
  return { bodyHash, status, body: parse(body), at };
}

export function outboxFromEntity(entity: AlertEntity, deliveries: readonly AlertDeliveryEntity[]): OutboxRow {
  return {
    alert: entity.body,
    settledAt: entity.settledAt,
    deliveries: deliveries.map(({ alertId: _alertId, ...columns }) => columns),
  };
}

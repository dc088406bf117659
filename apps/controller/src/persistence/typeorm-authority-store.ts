import type { DataSource, EntityManager, FindOptionsWhere } from 'typeorm';
import { In, MoreThan, Not, IsNull } from 'typeorm';
import type { SagaRecord } from '#failover';
import type {
  AuditRow,
  AuthorityStore,
  AuthorityTx,
  ControllerRow,
  EventRow,
  FleetRow,
  GroupRow,
  IdempotentAnswer,
  LeaseHolder,
  LeaseRow,
  LedgerRow,
  OutboxRow,
  SagaHead,
  StoredGoal,
} from './authority-store.port.js';
import type { AlertState, DeliveryOutcome, IncidentRow, PendingAlert } from './alerts.port.js';
import { AnswerEntity } from './entities/answer.entity.js';
import { AuditEntity } from './entities/audit.entity.js';
import { ControllerEntity } from './entities/controller.entity.js';
import { EventEntity } from './entities/event.entity.js';
import { FLEET_ID, FleetEntity } from './entities/fleet.entity.js';
import { GoalEntity } from './entities/goal.entity.js';
import { GroupEntity } from './entities/group.entity.js';
import { JournalEntryEntity } from './entities/journal-entry.entity.js';
import { LedgerEntity } from './entities/ledger.entity.js';
import { SagaEntity } from './entities/saga.entity.js';
import { TokenEntity } from './entities/token.entity.js';
import {
  answerFromEntity,
  auditFromEntity,
  eventFromEntity,
  fleetFromEntity,
  groupBy,
  groupFromEntity,
  ledgerFromEntity,
  sagaFromEntity,
  sagaHeadFromEntity,
} from './rows.js';
import { StoreSession } from './store-session.js';
import { incidentNamesIn, openIncidentsIn } from './typeorm-incidents.js';
import { TypeOrmAuthorityTx } from './typeorm-authority-tx.js';
import type { TokenRow } from './tokens.port.js';
import { TypeOrmLease, guard } from './typeorm-lease.js';
import { TypeOrmOutbox } from './typeorm-outbox.js';

const NEWEST_SAGAS = { openedAt: 'DESC', id: 'DESC' } as const;

/** The authority store on SQL. Made by `createAuthorityStore`. */
export class TypeOrmAuthorityStore implements AuthorityStore {
  private readonly session: StoreSession;
  private readonly lease: TypeOrmLease;
  private readonly outbox: TypeOrmOutbox;
  private closing: Promise<void> | null = null;

  constructor(private readonly dataSource: DataSource) {
    this.session = new StoreSession(dataSource);
    this.lease = new TypeOrmLease(this.session);
    this.outbox = new TypeOrmOutbox(this.session);
  }

  readLease(): Promise<LeaseRow> {
    return this.lease.read();
  }
  acquireLease(seen: LeaseRow, me: LeaseHolder): Promise<LeaseRow | null> {
    return this.lease.acquire(seen, me);
  }
  renewLease(term: number, me: LeaseHolder): Promise<LeaseRow | null> {
    return this.lease.renew(term, me);
  }
  releaseLease(term: number, me: LeaseHolder): Promise<void> {
    return this.lease.release(term, me);
  }
  async raiseTerm(term: number): Promise<LeaseRow> {
    return this.lease.raise(term);
  }

  transact<T>(term: number, holder: string, work: (tx: AuthorityTx) => Promise<T>): Promise<T> {
    return this.session.transaction('write under the lease', async (manager) => {
      await guard(manager, term, holder);
      const tx = new TypeOrmAuthorityTx(manager);
      const result = await work(tx);
      await tx.queue.end();
      return result;
    });
  }

  async announceController(row: ControllerRow): Promise<void> {
    await this.session.run('announce a controller', (m) => m.upsert(ControllerEntity, { ...row }, ['id']));
  }

  controllers(): Promise<readonly ControllerRow[]> {
    return this.session.run('read the controllers', async (m) =>
      (await m.find(ControllerEntity, { order: { id: 'ASC' } })).map(({ ...columns }) => columns),
    );
  }

  groups(): Promise<readonly GroupRow[]> {
    return this.session.run('read the groups', async (m) =>
      (await m.find(GroupEntity, { order: { name: 'ASC' } })).map(groupFromEntity),
    );
  }

  fleet(): Promise<FleetRow> {
    return this.session.run('read the fleet', async (m) =>
      fleetFromEntity(await m.findOneBy(FleetEntity, { id: FLEET_ID })),
    );
  }

  async saga(id: string): Promise<SagaRecord | null> {
    const [found] = await this.findSagas({ id }, 1);
    return found ?? null;
  }

  openSagas(): Promise<readonly SagaRecord[]> {
    return this.findSagas({ openGroup: Not(IsNull()) });
  }

  sagas(group: string, limit: number): Promise<readonly SagaRecord[]> {
    return this.findSagas({ group }, limit);
  }

  sagaHeads(group: string, limit: number): Promise<readonly SagaHead[]> {
    return this.session.run('read the heads of sagas', async (m) =>
      (await m.find(SagaEntity, { where: { group }, order: NEWEST_SAGAS, take: limit })).map(sagaHeadFromEntity),
    );
  }

  goals(): Promise<readonly StoredGoal[]> {
    return this.session.run('read the goals', async (m) =>
      (await m.find(GoalEntity, { order: { key: 'ASC' } })).map((entity) => entity.body),
    );
  }

  ledger(group: string, epoch?: number): Promise<readonly LedgerRow[]> {
    return this.session.run('read the ledger', (m) =>
      findLedger(m, { group, ...(epoch === undefined ? {} : { epoch }) }),
    );
  }

  /** The primary key is read backwards until a row fits: the epochs of a group mostly go to and fro. */
  lastSwitch(group: string, between: Readonly<{ from?: string; to?: string }>): Promise<readonly LedgerRow[]> {
    const where = { group, ...between };
    return this.session.run('read the last switch', async (m) => {
      const [newest] = await m.find(LedgerEntity, {
        select: { epoch: true },
        where,
        order: { epoch: 'DESC' },
        take: 1,
      });
      return newest === undefined ? [] : findLedger(m, { ...where, epoch: newest.epoch });
    });
  }

  events(after: number, limit: number, group?: string): Promise<readonly EventRow[]> {
    const where = { seq: MoreThan(after), ...(group === undefined ? {} : { group }) };
    return this.session.run('read the events', async (m) =>
      (await m.find(EventEntity, { where, order: { seq: 'ASC' }, take: limit })).map(eventFromEntity),
    );
  }

  lastEvents(limit: number, group?: string): Promise<readonly EventRow[]> {
    const where = group === undefined ? {} : { group };
    return this.session.run('read the last events', async (m) =>
      (await m.find(EventEntity, { where, order: { seq: 'DESC' }, take: limit })).reverse().map(eventFromEntity),
    );
  }

  audit(after: number, limit: number): Promise<readonly AuditRow[]> {
    return this.session.run('read the audit', async (m) =>
      (await m.find(AuditEntity, { where: { seq: MoreThan(after) }, order: { seq: 'ASC' }, take: limit })).map(
        auditFromEntity,
      ),
    );
  }

  lastAudit(limit: number, group: string): Promise<readonly AuditRow[]> {
    return this.session.run('read the last audit rows', async (m) =>
      (await m.find(AuditEntity, { where: { group }, order: { seq: 'DESC' }, take: limit }))
        .reverse()
        .map(auditFromEntity),
    );
  }

  lastAct(group: string, action: string): Promise<AuditRow | null> {
    return this.session.run('read the last act', async (m) => {
      const [found] = await m.find(AuditEntity, { where: { group, action }, order: { seq: 'DESC' }, take: 1 });
      return found === undefined ? null : auditFromEntity(found);
    });
  }

  pendingAlerts(limit: number, after?: number): Promise<readonly PendingAlert[]> {
    return this.outbox.pending(limit, after);
  }
  settleAlert(id: string, resends: number, at: string): Promise<void> {
    return this.outbox.settle(id, resends, at);
  }
  markAlert(id: string, receiver: string, outcome: DeliveryOutcome): Promise<void> {
    return this.outbox.mark(id, receiver, outcome);
  }
  alerts(state: AlertState, limit: number): Promise<readonly OutboxRow[]> {
    return this.outbox.list(state, limit);
  }
  alert(id: string): Promise<OutboxRow | null> {
    return this.outbox.one(id);
  }
  openIncidents(limit: number): Promise<readonly IncidentRow[]> {
    return this.session.run('read the open incidents', (m) => openIncidentsIn(m, limit));
  }

  incidentNames(group: string, limit: number): Promise<readonly string[]> {
    return this.session.run('read the names of incidents', (m) => incidentNamesIn(m, group, limit));
  }

  idempotent(key: string): Promise<IdempotentAnswer | null> {
    return this.session.run('read an answer', async (m) => {
      const found = await m.findOneBy(AnswerEntity, { key });
      return found && answerFromEntity(found);
    });
  }

  tokens(): Promise<readonly TokenRow[]> {
    return this.session.run('read the tokens', async (m) =>
      (await m.find(TokenEntity, { order: { createdAt: 'ASC', id: 'ASC' } })).map(({ ...columns }) => columns),
    );
  }

  async ping(): Promise<void> {
    await this.session.run('ping', (m) => m.query('SELECT 1'));
  }

  close(): Promise<void> {
    this.closing ??= this.dataSource.destroy();
    return this.closing;
  }

  /** Newest first. */
  private findSagas(where: FindOptionsWhere<SagaEntity>, limit?: number): Promise<readonly SagaRecord[]> {
    return this.session.run('read sagas', async (m) => {
      const found = await m.find(SagaEntity, {
        where,
        order: NEWEST_SAGAS,
        ...(limit === undefined ? {} : { take: limit }),
      });
      return withJournals(m, found);
    });
  }
}

async function findLedger(m: EntityManager, where: FindOptionsWhere<LedgerEntity>): Promise<readonly LedgerRow[]> {
  const order = { epoch: 'ASC', topic: 'ASC', partition: 'ASC' } as const;
  return (await m.find(LedgerEntity, { where, order })).map(ledgerFromEntity);
}

async function withJournals(m: EntityManager, sagas: readonly SagaEntity[]): Promise<readonly SagaRecord[]> {
  if (sagas.length === 0) return [];
  const where = { sagaId: In(sagas.map((s) => s.id)) };
  const entries = await m.find(JournalEntryEntity, { where, order: { sagaId: 'ASC', seq: 'ASC' } });
  const bySaga = groupBy(entries, (entry) => entry.sagaId);
  return sagas.map((entity) => sagaFromEntity(entity, bySaga.get(entity.id) ?? []));
}

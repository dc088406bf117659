import type { EntityManager } from 'typeorm';
import type { JournalEntry, SagaOutcome, SagaRecord } from '#failover';
import { goalKey } from '#failover';
import { FIRST_PREVIOUS_HASH, auditHash } from './audit-chain.js';
import type {
  Alert,
  AuditRow,
  AuthorityTx,
  EventRow,
  FleetRow,
  GroupRow,
  IdempotentAnswer,
  LedgerRow,
  StoredGoal,
} from './authority-store.port.js';
import type { IncidentRow } from './alerts.port.js';
import { AnswerExistsError, JournalMovedError, OpenSagaExistsError, UnknownRowError } from './authority-store.port.js';
import { AlertEntity } from './entities/alert.entity.js';
import { AnswerEntity } from './entities/answer.entity.js';
import { AuditEntity } from './entities/audit.entity.js';
import { EventEntity } from './entities/event.entity.js';
import { FLEET_ID, FleetEntity } from './entities/fleet.entity.js';
import { GoalEntity } from './entities/goal.entity.js';
import { GroupEntity } from './entities/group.entity.js';
import { JournalEntryEntity } from './entities/journal-entry.entity.js';
import { LedgerEntity } from './entities/ledger.entity.js';
import { SagaEntity } from './entities/saga.entity.js';
import { TokenEntity } from './entities/token.entity.js';
import { fleetFromEntity, groupFromEntity, groupToEntity } from './rows.js';
import { openIncidentsIn, tellIncident } from './typeorm-incidents.js';
import { resendIn } from './typeorm-outbox.js';
import { forgetRows } from './typeorm-retention.js';
import type { Forgotten } from './retention.port.js';
import type { TokenRow } from './tokens.port.js';
import { TxQueue } from './tx-queue.js';

const LEDGER_CHUNK = 500;
/** Far more than a group has families of alerts. */
const MAX_INCIDENTS = 100;

/**
 * The writes of one guarded transaction. "Look, then write" is safe here and only here: the guard has locked every other
 * leader out, so the highest seq, the last hash and the reserved epoch cannot move under it.
 */
export class TypeOrmAuthorityTx implements AuthorityTx {
  readonly queue = new TxQueue();

  constructor(private readonly manager: EntityManager) {}

  group(name: string): Promise<GroupRow | null> {
    return this.queue.add(async () => {
      const entity = await this.manager.findOneBy(GroupEntity, { name });
      return entity && groupFromEntity(entity);
    });
  }

  saveGroup(row: GroupRow): Promise<void> {
    return this.queue.add(async () => {
      const known = await this.manager.findOneBy(GroupEntity, { name: row.name });
      const reservedEpoch = Math.max(row.reservedEpoch, known?.reservedEpoch ?? 0);
      await this.manager.upsert(GroupEntity, groupToEntity({ ...row, reservedEpoch }), ['name']);
    });
  }

  fleet(): Promise<FleetRow> {
    return this.queue.add(async () => fleetFromEntity(await this.manager.findOneBy(FleetEntity, { id: FLEET_ID })));
  }

  saveFleet(row: FleetRow): Promise<void> {
    return this.queue.add(async () => {
      await this.manager.upsert(FleetEntity, { id: FLEET_ID, detail: JSON.stringify(row) }, ['id']);
    });
  }

  reserveEpoch(group: string, atLeast: number): Promise<number> {
    return this.queue.add(async () => {
      const known = await this.manager.findOneBy(GroupEntity, { name: group });
      if (!known) throw new UnknownRowError('group', group);
      const reservedEpoch = Math.max(known.reservedEpoch, known.epoch, atLeast) + 1;
      await this.manager.update(GroupEntity, { name: group }, { reservedEpoch });
      return reservedEpoch;
    });
  }

  openSaga(saga: Omit<SagaRecord, 'journal'>): Promise<void> {
    return this.queue.add(async () => {
      // Asked first because a refused INSERT would spoil the transaction; the unique column is there all the same.
      if (await this.manager.existsBy(SagaEntity, { openGroup: saga.group })) throw new OpenSagaExistsError(saga.group);
      await this.manager.insert(SagaEntity, { ...saga, openGroup: saga.group });
    });
  }

  claimSaga(id: string, term: number): Promise<void> {
    return this.queue.add(async () => {
      const open = await this.manager.findOneBy(SagaEntity, { id });
      if (!open?.openGroup) throw new UnknownRowError('open saga', id);
      await this.manager.update(SagaEntity, { id }, { term });
    });
  }

  appendJournal(sagaId: string, entries: readonly Omit<JournalEntry, 'seq'>[], after?: number): Promise<void> {
    return this.queue.add(async () => {
      const last = Number((await this.manager.maximum(JournalEntryEntity, 'seq', { sagaId })) ?? 0);
      // A saga with entries is there; each statement of a commit is a round trip that a failover waits for.
      if (last === 0 && !(await this.manager.existsBy(SagaEntity, { id: sagaId })))
        throw new UnknownRowError('open saga', sagaId);
      if (after !== undefined && after !== last) throw new JournalMovedError(sagaId, after, last);
      const rows = entries.map((entry, i) => ({
        ...entry,
        evidence: JSON.stringify(entry.evidence),
        sagaId,
        seq: last + i + 1,
      }));
      if (rows.length > 0) await this.manager.insert(JournalEntryEntity, rows);
    });
  }

  hasOpenSaga(group: string): Promise<boolean> {
    return this.queue.add(() => this.manager.existsBy(SagaEntity, { openGroup: group }));
  }

  closeSaga(id: string, outcome: SagaOutcome, at: string): Promise<void> {
    return this.queue.add(async () => {
      const open = await this.manager.findOneBy(SagaEntity, { id });
      if (!open?.openGroup) throw new UnknownRowError('open saga', id);
      await this.manager.update(SagaEntity, { id }, { outcome, closedAt: at, openGroup: null });
    });
  }

  saveGoal(goal: StoredGoal): Promise<void> {
    return this.queue.add(async () => {
      await this.manager.upsert(GoalEntity, { key: goalKey(goal), body: goal }, ['key']);
    });
  }

  dropGoal(key: string, epoch: number): Promise<boolean> {
    return this.queue.add(async () => {
      const held = await this.manager.findOneBy(GoalEntity, { key });
      if (held?.body.epoch !== epoch) return false;
      await this.manager.delete(GoalEntity, { key });
      return true;
    });
  }

  saveLedger(rows: readonly LedgerRow[]): Promise<void> {
    return this.queue.add(async () => {
      for (let from = 0; from < rows.length; from += LEDGER_CHUNK) {
        const chunk = rows.slice(from, from + LEDGER_CHUNK);
        await this.manager.upsert(LedgerEntity, chunk, ['group', 'epoch', 'topic', 'partition']);
      }
    });
  }

  appendEvent(event: Omit<EventRow, 'seq'>): Promise<void> {
    return this.queue.add(async () => {
      const seq = Number((await this.manager.maximum(EventEntity, 'seq')) ?? 0) + 1;
      await this.manager.insert(EventEntity, { ...event, seq, detail: JSON.stringify(event.detail) });
    });
  }

  appendAudit(row: Omit<AuditRow, 'seq' | 'hash' | 'previousHash'>): Promise<void> {
    return this.queue.add(async () => {
      const [last] = await this.manager.find(AuditEntity, { order: { seq: 'DESC' }, take: 1 });
      const chained = { ...row, seq: (last?.seq ?? 0) + 1, previousHash: last?.hash ?? FIRST_PREVIOUS_HASH };
      await this.manager.insert(AuditEntity, {
        ...chained,
        detail: JSON.stringify(row.detail),
        hash: auditHash(chained),
      });
    });
  }

  enqueueAlert(alert: Alert): Promise<void> {
    return this.queue.add(async () => {
      if (await this.manager.existsBy(AlertEntity, { id: alert.id })) return;
      const seq = Number((await this.manager.maximum(AlertEntity, 'seq')) ?? 0) + 1;
      await this.manager.insert(AlertEntity, { id: alert.id, seq, body: alert, settledAt: null });
      await tellIncident(this.manager, alert);
    });
  }

  resendAlert(id: string, receivers: readonly string[] | null): Promise<readonly string[]> {
    return this.queue.add(() => resendIn(this.manager, id, receivers));
  }

  openIncidents(group: string): Promise<readonly IncidentRow[]> {
    return this.queue.add(() => openIncidentsIn(this.manager, MAX_INCIDENTS, group));
  }

  saveToken(row: TokenRow): Promise<void> {
    return this.queue.add(async () => {
      await this.manager.upsert(TokenEntity, { ...row }, ['id']);
    });
  }

  rememberAnswer(key: string, answer: IdempotentAnswer): Promise<void> {
    return this.queue.add(async () => {
      if (await this.manager.existsBy(AnswerEntity, { key })) throw new AnswerExistsError(key);
      await this.manager.insert(AnswerEntity, { ...answer, key, body: JSON.stringify(answer.body) });
    });
  }

  forget(before: string, limit: number): Promise<Forgotten> {
    return this.queue.add(() => forgetRows(this.manager, before, limit));
  }
}

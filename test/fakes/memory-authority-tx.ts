import type { JournalEntry, SagaOutcome, SagaRecord } from '#failover';
import { goalKey } from '#failover';
import { FIRST_PREVIOUS_HASH, auditHash } from '../../apps/controller/src/persistence/audit-chain.js';
import { foldIncident } from '../../apps/controller/src/persistence/alerts.port.js';
import type { Forgotten } from '../../apps/controller/src/persistence/retention.port.js';
import type { TokenRow } from '../../apps/controller/src/persistence/tokens.port.js';
import type { IncidentRow } from '../../apps/controller/src/persistence/alerts.port.js';
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
} from '../../apps/controller/src/persistence/authority-store.port.js';
import {
  AnswerExistsError,
  OpenSagaExistsError,
  JournalMovedError,
  UnknownRowError,
} from '../../apps/controller/src/persistence/authority-store.port.js';
import type { Tables } from './memory-authority-tables.js';
import { copy, openIncidentsOf } from './memory-authority-tables.js';

/** What marks say, which are written beside the transactions. */
type Deliveries = Readonly<{
  settledAt(alert: string): string | null;
  deadAt(alert: string, receivers: readonly string[] | null): readonly string[];
}>;

/** Works on its own copy of the tables, which the store puts in place at commit. */
export class MemoryAuthorityTx implements AuthorityTx {
  /** To be opened again at commit. */
  readonly resent: Readonly<{ id: string; receivers: readonly string[] }>[] = [];
  private ended = false;

  constructor(
    private readonly tables: Tables,
    private readonly deliveries: Deliveries,
  ) {}

  async end(): Promise<Tables> {
    this.ended = true;
    return this.tables;
  }

  async group(name: string): Promise<GroupRow | null> {
    return copy(this.use().groups.get(name) ?? null);
  }

  async saveGroup(row: GroupRow): Promise<void> {
    const { groups } = this.use();
    const reservedEpoch = Math.max(row.reservedEpoch, groups.get(row.name)?.reservedEpoch ?? 0);
    groups.set(row.name, copy({ ...row, reservedEpoch }));
  }

  async fleet(): Promise<FleetRow> {
    return copy(this.use().fleet);
  }

  async saveFleet(row: FleetRow): Promise<void> {
    this.use().fleet = copy(row);
  }

  async reserveEpoch(group: string, atLeast: number): Promise<number> {
    const { groups } = this.use();
    const known = groups.get(group);
    if (!known) throw new UnknownRowError('group', group);
    const reservedEpoch = Math.max(known.reservedEpoch, known.epoch, atLeast) + 1;
    groups.set(group, { ...known, reservedEpoch });
    return reservedEpoch;
  }

  async openSaga(saga: Omit<SagaRecord, 'journal'>): Promise<void> {
    const { sagas } = this.use();
    const open = [...sagas.values()].some((known) => known.outcome === null && known.group === saga.group);
    if (open) throw new OpenSagaExistsError(saga.group);
    sagas.set(saga.id, copy({ ...saga, journal: [] }));
  }

  async claimSaga(id: string, term: number): Promise<void> {
    this.use().sagas.set(id, { ...this.open(id), term });
  }

  async appendJournal(sagaId: string, entries: readonly Omit<JournalEntry, 'seq'>[], after?: number): Promise<void> {
    const saga = this.use().sagas.get(sagaId);
    if (!saga) throw new UnknownRowError('open saga', sagaId);
    const last = saga.journal.length;
    if (after !== undefined && after !== last) throw new JournalMovedError(sagaId, after, last);
    // As a bigint column does: a simulation must not take what a real store refuses.
    const broken = entries.find((e) => e.deadlineMs !== null && !Number.isInteger(e.deadlineMs));
    if (broken)
      throw new TypeError(`${broken.step} has a deadline of ${broken.deadlineMs} ms, which is no whole number`);
    const numbered = entries.map((entry, i) => ({ ...copy(entry), seq: saga.journal.length + i + 1 }));
    this.tables.sagas.set(sagaId, { ...saga, journal: [...saga.journal, ...numbered] });
  }

  async hasOpenSaga(group: string): Promise<boolean> {
    return [...this.use().sagas.values()].some((known) => known.outcome === null && known.group === group);
  }

  async closeSaga(id: string, outcome: SagaOutcome, at: string): Promise<void> {
    this.use().sagas.set(id, { ...this.open(id), outcome, closedAt: at });
  }

  async saveGoal(goal: StoredGoal): Promise<void> {
    this.use().goals.set(goalKey(goal), copy(goal));
  }

  async dropGoal(key: string, epoch: number): Promise<boolean> {
    const { goals } = this.use();
    return goals.get(key)?.epoch === epoch && goals.delete(key);
  }

  async saveLedger(rows: readonly LedgerRow[]): Promise<void> {
    const { ledger } = this.use();
    for (const row of rows) ledger.set(JSON.stringify([row.group, row.epoch, row.topic, row.partition]), copy(row));
  }

  async appendEvent(event: Omit<EventRow, 'seq'>): Promise<void> {
    const { events } = this.use();
    events.push({ ...copy(event), seq: (events.at(-1)?.seq ?? 0) + 1 });
  }

  async appendAudit(row: Omit<AuditRow, 'seq' | 'hash' | 'previousHash'>): Promise<void> {
    const { audit } = this.use();
    const previousHash = audit.at(-1)?.hash ?? FIRST_PREVIOUS_HASH;
    const chained = { ...copy(row), seq: audit.length + 1, previousHash };
    audit.push({ ...chained, hash: auditHash(chained) });
  }

  async enqueueAlert(alert: Alert): Promise<void> {
    const { alerts, incidents } = this.use();
    if (alerts.has(alert.id)) return;
    const seq = ([...alerts.values()].at(-1)?.seq ?? 0) + 1;
    alerts.set(alert.id, { seq, resends: 0, alert: copy(alert) });
    incidents.set(alert.incident, copy(foldIncident(incidents.get(alert.incident) ?? null, alert)));
  }

  async resendAlert(id: string, receivers: readonly string[] | null): Promise<readonly string[]> {
    const { alerts } = this.use();
    const dead = this.deliveries.deadAt(id, receivers);
    const known = alerts.get(id);
    if (known === undefined || dead.length === 0) return [];
    alerts.set(id, { ...known, resends: known.resends + 1 });
    this.resent.push({ id, receivers: dead });
    return dead;
  }

  async openIncidents(group: string): Promise<readonly IncidentRow[]> {
    return openIncidentsOf(this.use()).filter((row) => row.group === group);
  }

  async saveToken(row: TokenRow): Promise<void> {
    this.use().tokens.set(row.id, copy(row));
  }

  async rememberAnswer(key: string, answer: IdempotentAnswer): Promise<void> {
    const { answers } = this.use();
    if (answers.has(key)) throw new AnswerExistsError(key);
    answers.set(key, copy(answer));
  }

  async forget(before: string, limit: number): Promise<Forgotten> {
    const { events, alerts, incidents, answers } = this.use();
    const oldEvents = events
      .slice(0, -1)
      .slice(0, limit)
      .filter((row) => row.at < before);
    this.tables.events.splice(0, events.length, ...events.filter((row) => !oldEvents.includes(row)));
    const newest = [...alerts.keys()].at(-1);
    const isOld = (at: string | null): boolean => at !== null && at < before;
    return {
      events: oldEvents.length,
      alerts: removeFrom(
        alerts,
        limit,
        ({ alert }) => alert.id !== newest && isOld(this.deliveries.settledAt(alert.id)),
      ),
      incidents: removeFrom(incidents, limit, (row) => isOld(row.resolvedAt)),
      answers: removeFrom(answers, limit, (row) => isOld(row.at)),
    };
  }

  private use(): Tables {
    if (this.ended) throw new Error('the transaction is over: await every call inside `work`');
    return this.tables;
  }

  private open(id: string): SagaRecord {
    const saga = this.tables.sagas.get(id);
    if (!saga || saga.outcome !== null) throw new UnknownRowError('open saga', id);
    return saga;
  }
}

function removeFrom<T>(table: Map<string, T>, limit: number, isOld: (row: T) => boolean): number {
  const keys = [...table].filter(([, row]) => isOld(row)).map(([key]) => key);
  for (const key of keys.slice(0, limit)) table.delete(key);
  return Math.min(keys.length, limit);
}

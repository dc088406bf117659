import type { Json, SagaRecord } from '#failover';
import type {
  AlertState,
  DeliveryOutcome,
  IncidentRow,
  PendingAlert,
} from '../../apps/controller/src/persistence/alerts.port.js';
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
} from '../../apps/controller/src/persistence/authority-store.port.js';
import { LostLeadershipError } from '../../apps/controller/src/persistence/authority-store.port.js';
import type { TokenRow } from '../../apps/controller/src/persistence/tokens.port.js';
import type { Call, MemoryAuthorityServer } from './memory-authority-server.js';
import { MemoryAuthorityTx } from './memory-authority-tx.js';
import { copy, openIncidentsOf } from './memory-authority-tables.js';

/** One controller's connection to a {@link MemoryAuthorityServer}; passes the conformance suite of the port. */
export class MemoryAuthorityStore implements AuthorityStore {
  constructor(
    private readonly database: MemoryAuthorityServer,
    readonly client: string,
  ) {}

  readLease(): Promise<LeaseRow> {
    return this.read('lease', () => this.database.tables.lease);
  }

  acquireLease(seen: LeaseRow, me: LeaseHolder): Promise<LeaseRow | null> {
    return this.changeLease((row) => {
      const same = row.term === seen.term && row.holder === seen.holder && row.renewals === seen.renewals;
      return same ? { term: row.term + 1, holder: me.id, advertise: me.advertise, renewals: row.renewals + 1 } : null;
    });
  }

  renewLease(term: number, me: LeaseHolder): Promise<LeaseRow | null> {
    return this.changeLease((row) =>
      isHeld(row, term, me.id) ? { ...row, advertise: me.advertise, renewals: row.renewals + 1 } : null,
    );
  }

  async releaseLease(term: number, me: LeaseHolder): Promise<void> {
    await this.changeLease((row) =>
      isHeld(row, term, me.id) ? { ...row, holder: null, advertise: null, renewals: row.renewals + 1 } : null,
    );
  }

  async raiseTerm(term: number): Promise<LeaseRow> {
    if (!Number.isSafeInteger(term) || term < 0) throw new RangeError(`no term: ${term}`);
    const raised = await this.changeLease((row) =>
      row.term < term ? { ...row, term, holder: null, renewals: row.renewals + 1 } : row,
    );
    return raised ?? this.readLease();
  }

  async transact<T>(term: number, holder: string, work: (tx: AuthorityTx) => Promise<T>): Promise<T> {
    await this.database.enter(this.client, 'begin');
    return this.database.exclusive(async () => {
      this.database.check(this.client);
      if (!isHeld(this.database.tables.lease, term, holder)) throw new LostLeadershipError(term);
      const tx = new MemoryAuthorityTx(this.database.copyForTransaction(), this.database);
      const result = await Promise.race([work(tx), this.database.untilUnreachable(this.client)]);
      const tables = await tx.end();
      await this.database.enter(this.client, 'commit-before');
      this.database.commit(tables);
      for (const { id, receivers } of tx.resent) this.database.resend(id, receivers);
      await this.database.enter(this.client, 'commit-after');
      return result;
    });
  }

  announceController(row: ControllerRow): Promise<void> {
    return this.read('write', () => void this.database.controllers.set(row.id, copy(row)));
  }

  controllers(): Promise<readonly ControllerRow[]> {
    return this.read('read', () => sortedBy([...this.database.controllers.values()], (row) => row.id));
  }

  groups(): Promise<readonly GroupRow[]> {
    return this.read('read', () => sortedBy([...this.database.tables.groups.values()], (row) => row.name));
  }

  fleet(): Promise<FleetRow> {
    return this.read('read', () => this.database.tables.fleet);
  }

  saga(id: string): Promise<SagaRecord | null> {
    return this.read('read', () => this.database.tables.sagas.get(id) ?? null);
  }

  openSagas(): Promise<readonly SagaRecord[]> {
    return this.read('read', () => this.newestSagas((saga) => saga.outcome === null));
  }

  sagas(group: string, limit: number): Promise<readonly SagaRecord[]> {
    return this.read('read', () => this.newestSagas((saga) => saga.group === group).slice(0, limit));
  }

  sagaHeads(group: string, limit: number): Promise<readonly SagaHead[]> {
    return this.read('read', () =>
      this.newestSagas((saga) => saga.group === group)
        .slice(0, limit)
        .map(({ journal: _journal, ...head }) => head),
    );
  }

  goals(): Promise<readonly StoredGoal[]> {
    return this.read('read', () => sortedBy([...this.database.tables.goals], ([key]) => key).map(([, goal]) => goal));
  }

  ledger(group: string, epoch?: number): Promise<readonly LedgerRow[]> {
    return this.read('read', () => this.ledgerOf((row) => row.group === group && (epoch ?? row.epoch) === row.epoch));
  }

  lastSwitch(group: string, { from, to }: Readonly<{ from?: string; to?: string }>): Promise<readonly LedgerRow[]> {
    return this.read('read', () => {
      const fits = this.ledgerOf(
        (row) => row.group === group && (from ?? row.from) === row.from && (to ?? row.to) === row.to,
      );
      return fits.filter((row) => row.epoch === fits.at(-1)?.epoch);
    });
  }

  events(after: number, limit: number, group?: string): Promise<readonly EventRow[]> {
    return this.read('read', () =>
      this.eventsOf(group)
        .filter((row) => row.seq > after)
        .slice(0, limit),
    );
  }

  lastEvents(limit: number, group?: string): Promise<readonly EventRow[]> {
    return this.read('read', () => this.eventsOf(group).slice(-limit));
  }

  audit(after: number, limit: number): Promise<readonly AuditRow[]> {
    return this.read('read', () => this.database.tables.audit.filter((row) => row.seq > after).slice(0, limit));
  }

  lastAudit(limit: number, group: string): Promise<readonly AuditRow[]> {
    return this.read('read', () => this.database.tables.audit.filter((row) => row.group === group).slice(-limit));
  }

  lastAct(group: string, action: string): Promise<AuditRow | null> {
    const { audit } = this.database.tables;
    return this.read('read', () => audit.findLast((row) => row.group === group && row.action === action) ?? null);
  }

  pendingAlerts(limit: number, after = 0): Promise<readonly PendingAlert[]> {
    return this.read('read', () => this.database.pendingAlerts(limit, after));
  }

  settleAlert(id: string, resends: number, at: string): Promise<void> {
    return this.read('write', () => this.database.settle(id, resends, at));
  }

  markAlert(id: string, receiver: string, outcome: DeliveryOutcome): Promise<void> {
    return this.read('write', () => this.database.mark(id, receiver, outcome));
  }

  alerts(state: AlertState, limit: number): Promise<readonly OutboxRow[]> {
    return this.read('read', () => this.database.alerts(state).slice(0, limit));
  }

  alert(id: string): Promise<OutboxRow | null> {
    return this.read('read', () => this.database.alerts('all').find((row) => row.alert.id === id) ?? null);
  }

  openIncidents(limit: number): Promise<readonly IncidentRow[]> {
    return this.read('read', () => openIncidentsOf(this.database.tables).slice(0, limit));
  }

  incidentNames(group: string, limit: number): Promise<readonly string[]> {
    return this.read('read', () =>
      sortedBy(
        [...this.database.tables.incidents.values()].filter((row) => row.group === group),
        (row) => `${row.openedAt} ${row.incident}`,
      )
        .toReversed()
        .slice(0, limit)
        .map(({ incident }) => incident),
    );
  }

  idempotent(key: string): Promise<IdempotentAnswer | null> {
    return this.read('read', () => this.database.tables.answers.get(key) ?? null);
  }

  tokens(): Promise<readonly TokenRow[]> {
    return this.read('read', () =>
      sortedBy([...this.database.tables.tokens.values()], (row) => `${row.createdAt} ${row.id}`),
    );
  }

  ping(): Promise<void> {
    return this.read('read', () => undefined);
  }

  async close(): Promise<void> {}

  private async read<T extends Json | object | undefined | void>(call: Call, look: () => T): Promise<T> {
    await this.database.enter(this.client, call);
    return copy(look());
  }

  private async changeLease(change: (row: LeaseRow) => LeaseRow | null): Promise<LeaseRow | null> {
    await this.database.enter(this.client, 'lease');
    const result = await this.database.exclusive(async () => {
      this.database.check(this.client);
      const changed = change(this.database.tables.lease);
      if (changed) this.database.tables = { ...this.database.tables, lease: changed };
      return changed;
    });
    await this.database.enter(this.client, 'lease-answer');
    return result;
  }

  private newestSagas(wanted: (saga: SagaRecord) => boolean): readonly SagaRecord[] {
    return [...this.database.tables.sagas.values()]
      .filter(wanted)
      .toSorted((a, b) => compare(b.openedAt, a.openedAt) || compare(b.id, a.id));
  }

  private ledgerOf(wanted: (row: LedgerRow) => boolean): readonly LedgerRow[] {
    return [...this.database.tables.ledger.values()]
      .filter(wanted)
      .toSorted((a, b) => a.epoch - b.epoch || compare(a.topic, b.topic) || a.partition - b.partition);
  }

  private eventsOf(group: string | undefined): readonly EventRow[] {
    return this.database.tables.events.filter((row) => group === undefined || row.group === group);
  }
}

const isHeld = (row: LeaseRow, term: number, holder: string): boolean => row.term === term && row.holder === holder;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const sortedBy = <T>(items: readonly T[], key: (item: T) => string): readonly T[] =>
  items.toSorted((a, b) => compare(key(a), key(b)));

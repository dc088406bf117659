import type { SagaRecord } from '#failover';
import type { TokenRow } from '../../apps/controller/src/persistence/tokens.port.js';
import type { IncidentRow } from '../../apps/controller/src/persistence/alerts.port.js';
import type {
  Alert,
  AuditRow,
  EventRow,
  FleetRow,
  GroupRow,
  IdempotentAnswer,
  LeaseRow,
  LedgerRow,
  StoredGoal,
} from '../../apps/controller/src/persistence/authority-store.port.js';
import { NEW_FLEET } from '../../apps/controller/src/persistence/authority-store.port.js';

/** What guarded transactions write. Rows are never changed in place, so a shallow copy is a snapshot. */
export type Tables = {
  lease: LeaseRow;
  fleet: FleetRow;
  readonly groups: Map<string, GroupRow>;
  readonly sagas: Map<string, SagaRecord>;
  readonly goals: Map<string, StoredGoal>;
  readonly ledger: Map<string, LedgerRow>;
  readonly events: EventRow[];
  readonly audit: AuditRow[];
  readonly alerts: Map<string, Readonly<{ seq: number; resends: number; alert: Alert }>>;
  readonly incidents: Map<string, IncidentRow>;
  readonly tokens: Map<string, TokenRow>;
  readonly answers: Map<string, IdempotentAnswer>;
};

export const emptyTables = (): Tables => ({
  lease: { term: 0, holder: null, advertise: null, renewals: 0 },
  fleet: NEW_FLEET,
  groups: new Map(),
  sagas: new Map(),
  goals: new Map(),
  ledger: new Map(),
  events: [],
  audit: [],
  alerts: new Map(),
  incidents: new Map(),
  tokens: new Map(),
  answers: new Map(),
});

export const copyTables = (tables: Tables): Tables => ({
  lease: tables.lease,
  fleet: tables.fleet,
  groups: new Map(tables.groups),
  sagas: new Map(tables.sagas),
  goals: new Map(tables.goals),
  ledger: new Map(tables.ledger),
  events: [...tables.events],
  audit: [...tables.audit],
  alerts: new Map(tables.alerts),
  incidents: new Map(tables.incidents),
  tokens: new Map(tables.tokens),
  answers: new Map(tables.answers),
});

/** What a database would give back: no shared objects, nothing that JSON cannot carry. */
export function copy<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}

/** Oldest first, as SQL orders them. */
export const openIncidentsOf = (tables: Tables): readonly IncidentRow[] =>
  copy(
    [...tables.incidents.values()]
      .filter((row) => row.resolvedAt === null)
      .toSorted((a, b) => (`${a.openedAt} ${a.incident}` < `${b.openedAt} ${b.incident}` ? -1 : 1)),
  );

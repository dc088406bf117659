import type { Goal, JournalEntry, Json, Mode, Proposal, SagaOutcome, SagaRecord, ScheduledSwitch } from '#failover';
import type { TokenRow } from './tokens.port.js';
import type { Forgotten } from './retention.port.js';
import type { Alert, AlertState, DeliveryOutcome, IncidentRow, OutboxRow, PendingAlert } from './alerts.port.js';

export type { Alert, OutboxRow } from './alerts.port.js';

export const AUTHORITY_STORE = Symbol('AuthorityStore');

/**
 * The one place that says who leads and how far a saga has come. Every change goes through {@link AuthorityStore.transact},
 * which first *writes* the lease row `WHERE term = :mine AND holder = :me`: on a single database that serialises leaders,
 * on a multi-primary one it makes certification fail for all but one. No advisory locks, no LISTEN, no store clock.
 */
export interface AuthorityStore {
  readLease(): Promise<LeaseRow>;
  /** Takes the lease if the row still equals `seen`; the term rises by one. Null: somebody else was faster. */
  acquireLease(seen: LeaseRow, me: LeaseHolder): Promise<LeaseRow | null>;
  /** Renews while holder and term are still mine. Null: lost. */
  renewLease(term: number, me: LeaseHolder): Promise<LeaseRow | null>;
  /** Gives the lease up at a planned stop, so that the next leader need not wait: holder and advertise become null. */
  releaseLease(term: number, me: LeaseHolder): Promise<void>;
  /**
   * Raises the row's term to at least `term` (I3: a higher term was heard from an agent or the config center). A row that
   * was raised has no holder but keeps `advertise`: nobody leads a raised term, and the leader over whose head it happened
   * may believe in itself for a moment yet, so candidates wait as for a held lease.
   */
  raiseTerm(term: number): Promise<LeaseRow>;

  /**
   * Runs `work` in one transaction guarded by the lease. Throws {@link LostLeadershipError} if the guard matched no row.
   * After a deadlock or a serialization failure `work` runs again from the start: it must have no effect but on `tx`.
   */
  transact<T>(term: number, holder: string, work: (tx: AuthorityTx) => Promise<T>): Promise<T>;

  /** Says that this controller lives (not guarded by the lease: every controller has its own row). */
  announceController(row: ControllerRow): Promise<void>;
  controllers(): Promise<readonly ControllerRow[]>;

  groups(): Promise<readonly GroupRow[]>;
  /** What holds for all groups at once. */
  fleet(): Promise<FleetRow>;
  saga(id: string): Promise<SagaRecord | null>;
  openSagas(): Promise<readonly SagaRecord[]>;
  /** Newest first. */
  sagas(group: string, limit: number): Promise<readonly SagaRecord[]>;
  /** The same without their journals, which are most of a saga: for who only asks what has come to an end. */
  sagaHeads(group: string, limit: number): Promise<readonly SagaHead[]>;
  goals(): Promise<readonly StoredGoal[]>;
  /** Ordered by epoch, topic and partition. Without `epoch` every switch that there ever was: it is never pruned. */
  ledger(group: string, epoch?: number): Promise<readonly LedgerRow[]>;
  /** Rows of the newest switch from that cluster, to that one, or both, whatever became of it; empty: there was none. */
  lastSwitch(group: string, between: Readonly<{ from?: string; to?: string }>): Promise<readonly LedgerRow[]>;
  /** Oldest first, seq above `after`; with `group`, that group's rows only (those of no group are left out). */
  events(after: number, limit: number, group?: string): Promise<readonly EventRow[]>;
  /** The newest `limit` of them, still oldest first: "the last N", and with 1 the place to tail from. */
  lastEvents(limit: number, group?: string): Promise<readonly EventRow[]>;
  audit(after: number, limit: number): Promise<readonly AuditRow[]>;
  /** The newest `limit` rows of a group, still oldest first. */
  lastAudit(limit: number, group: string): Promise<readonly AuditRow[]>;
  /** The newest row of that action in a group, however long ago: the audit is never pruned. Null: there was none. */
  lastAct(group: string, action: string): Promise<AuditRow | null>;
  /**
   * Alerts not yet settled, oldest first, seq above `after` (default: from the beginning). The store does not know which
   * receivers there are: {@link settleAlert} ends a row.
   */
  pendingAlerts(limit: number, after?: number): Promise<readonly PendingAlert[]>;
  /**
   * Takes the row out of {@link pendingAlerts}: every receiver that wants it answered 2xx, or delivery was given up.
   * Idempotent. `resends`: as it was read; one that was sent again since has another, and stays open.
   */
  settleAlert(id: string, resends: number, at: string): Promise<void>;
  /** Remembered outcome of a delivery attempt; guarded by the row itself, not by the lease. */
  markAlert(id: string, receiver: string, outcome: DeliveryOutcome): Promise<void>;
  /** Newest first, settled or not. */
  alerts(state: AlertState, limit: number): Promise<readonly OutboxRow[]>;
  alert(id: string): Promise<OutboxRow | null>;
  /** Stories that are not over, oldest first; at most `limit`. */
  openIncidents(limit: number): Promise<readonly IncidentRow[]>;
  /** Names of the group's newest incidents, also of those that are over, newest first; at most `limit`. */
  incidentNames(group: string, limit: number): Promise<readonly string[]>;
  /** The answer kept for an idempotency key, or null. */
  idempotent(key: string): Promise<IdempotentAnswer | null>;

  /** Oldest first; revoked and expired ones too. */
  tokens(): Promise<readonly TokenRow[]>;

  /** Cheap round trip for /readyz. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface AuthorityTx {
  group(name: string): Promise<GroupRow | null>;
  /** Inserts or replaces; `reservedEpoch` never falls, whatever the row says. */
  saveGroup(row: GroupRow): Promise<void>;
  fleet(): Promise<FleetRow>;
  saveFleet(row: FleetRow): Promise<void>;
  /** Reserves the next epoch of the group: above every epoch reserved before and above `atLeast`. {@link UnknownRowError}. */
  reserveEpoch(group: string, atLeast: number): Promise<number>;
  /** Fails with {@link OpenSagaExistsError} when the group has one (unique index). */
  openSaga(saga: Omit<SagaRecord, 'journal'>): Promise<void>;
  /** A new leader takes an open saga over: its term becomes the saga's. {@link UnknownRowError} if it is not open. */
  claimSaga(id: string, term: number): Promise<void>;
  /**
   * `after`: the last number that the caller knows of. If the journal went on meanwhile (a commit whose answer was lost did
   * arrive) it throws {@link JournalMovedError}, which undoes the whole transaction.
   */
  appendJournal(sagaId: string, entries: readonly Omit<JournalEntry, 'seq'>[], after?: number): Promise<void>;
  hasOpenSaga(group: string): Promise<boolean>;
  closeSaga(id: string, outcome: SagaOutcome, at: string): Promise<void>;
  /** Inserts or replaces, by `goalKey`: what was said of the one before (`until` too) is gone with it. */
  saveGoal(goal: StoredGoal): Promise<void>;
  /** Drops the goal if it is still the one of that epoch; false: another one took its place, or none is there. */
  dropGoal(key: string, epoch: number): Promise<boolean>;
  saveLedger(rows: readonly LedgerRow[]): Promise<void>;
  appendEvent(event: Omit<EventRow, 'seq'>): Promise<void>;
  /** Append-only and hash-chained: the row's hash covers the previous row's. */
  appendAudit(row: Omit<AuditRow, 'seq' | 'hash' | 'previousHash'>): Promise<void>;
  /** Once per alert id: a second time is a no-op (the direct path and the outbox share ids). */
  enqueueAlert(alert: Alert): Promise<void>;
  /**
   * Opens the alert again for the receivers that were given up on (null: all of them): a new round with no attempts. It keeps
   * its place in the outbox, in which it may be owed to others too. Gives the receivers that it is owed to again.
   */
  resendAlert(id: string, receivers: readonly string[] | null): Promise<readonly string[]>;
  /** The group's stories that are not over. */
  openIncidents(group: string): Promise<readonly IncidentRow[]>;
  /** Inserts or replaces, by id. */
  saveToken(row: TokenRow): Promise<void>;
  /** Throws {@link AnswerExistsError} if the key has an answer, which undoes the whole transaction. */
  rememberAnswer(key: string, answer: IdempotentAnswer): Promise<void>;
  /**
   * Removes what is older than `before` (RFC 3339): events, settled alerts with their deliveries, incidents that are over,
   * kept answers; at most `limit` of each, oldest first. Never the newest event or alert, whose number the next one
   * follows; never the audit, sagas or the ledger.
   */
  forget(before: string, limit: number): Promise<Forgotten>;
}

/**
 * `until: 'reached'`: only until its agents have read it back, then the leader drops it, whoever leads by then. Absent: stays.
 * Known to the store alone: agents hold what they are handed, on the wire and on their disks.
 */
export type StoredGoal = Goal & Readonly<{ until?: 'reached' }>;

export type SagaHead = Omit<SagaRecord, 'journal'>;

export type LeaseHolder = Readonly<{ id: string; advertise: string }>;
export type LeaseRow = Readonly<{ term: number; holder: string | null; advertise: string | null; renewals: number }>;

export type ControllerRow = Readonly<{
  id: string;
  idc: string;
  advertise: string;
  policyDigest: string;
  beats: number;
  version: string;
}>;

export type PauseRow = Readonly<{ owner: string; reason: string; at: string; expiresAt: string }>;

/** Of all groups, whatever their own rows say; those that are configured later too. */
export type FleetRow = Readonly<{ pause: PauseRow | null; unpausedAt: string | null }>;

export const NEW_FLEET: FleetRow = { pause: null, unpausedAt: null };

/** All instants RFC 3339 UTC by the writing controller's wall clock: for people, cool-downs and expiries, never for the lease. */
export type GroupRow = Readonly<{
  name: string;
  active: string;
  epoch: number; // last published and read back
  reservedEpoch: number; // highest ever reserved
  mode: Mode; // in force: configuration, unless changed by an operator
  modeChangedAt: string | null;
  modeSet: Readonly<{ by: string; reason: string }> | null; // the operator who did
  pause: PauseRow | null;
  unpausedAt: string | null;
  frozen: string | null;
  lastPublishedAutoAt: string | null;
  acknowledgedAt: string | null;
  lastPublishedSagaAt: string | null;
  lastUnpublishedClose: Readonly<{ at: string; attempts: number; outcome: SagaOutcome }> | null;
  lossAcceptance: Readonly<{
    by: string;
    reason: string;
    maxRecords: number | null;
    maxMs: number | null;
    expiresAt: string;
  }> | null;
  rejoin: readonly string[];
  proposal: Proposal | null; // the newest, open or closed
  scheduled: ScheduledSwitch | null; // a switchover at a time
}>;

/** The row after a publication of another active cluster: what cool-down, windows and the way back rest on. */
export const movedTo = (row: GroupRow, active: string, of: Readonly<{ at: string; byMatrix: boolean }>): GroupRow => ({
  ...row,
  active,
  lastPublishedAutoAt: of.byMatrix ? of.at : row.lastPublishedAutoAt,
  lastPublishedSagaAt: of.at,
  lastUnpublishedClose: null,
  lossAcceptance: null,
  // The new one may have waited for its own rejoin, where a person's order set that aside.
  rejoin: [...new Set([...row.rejoin, row.active])].filter((name) => name !== active),
});

/** A group of which nothing has been published yet. */
export const newGroupRow = (of: Pick<GroupRow, 'name' | 'active' | 'mode'>): GroupRow => ({
  ...of,
  epoch: 0,
  reservedEpoch: 0,
  modeChangedAt: null,
  modeSet: null,
  pause: null,
  unpausedAt: null,
  frozen: null,
  lastPublishedAutoAt: null,
  acknowledgedAt: null,
  lastPublishedSagaAt: null,
  lastUnpublishedClose: null,
  lossAcceptance: null,
  rejoin: [],
  proposal: null,
  scheduled: null,
});

/** Per switch and partition: what bridges the two logs for ever. `null`: could not be read. */
export type LedgerRow = Readonly<{
  group: string;
  epoch: number;
  from: string;
  to: string;
  topic: string;
  partition: number;
  s: number; // end offset of the target at the freeze
  n: number | null; // last source offset replicated
  sourceEnd: number | null; // E_a
  sourceEndAgeMs: number | null;
}>;

export type EventRow = Readonly<{
  seq: number;
  at: string;
  group: string | null;
  type: 'decision' | 'saga' | 'leadership' | 'operator' | 'alert';
  row: number | null;
  summary: string;
  detail: Json;
  term: number;
  epoch: number | null;
}>;

export type AuditRow = Readonly<{
  seq: number;
  at: string;
  actor: string;
  action: string;
  group: string | null;
  reason: string;
  detail: Json; // votes, before and after
  term: number;
  epoch: number | null;
  previousHash: string;
  hash: string;
}>;

export type IdempotentAnswer = Readonly<{ bodyHash: string; status: number; body: Json; at: string }>;

export class LostLeadershipError extends Error {
  override readonly name = 'LostLeadershipError';
  constructor(readonly term: number) {
    super(`term ${term} does not lead any more: nothing was written`);
  }
}

export class OpenSagaExistsError extends Error {
  override readonly name = 'OpenSagaExistsError';
  constructor(readonly group: string) {
    super(`group ${group} has an open saga already`);
  }
}

/** The saga's journal is longer than the caller knows: read it before going on. */
export class JournalMovedError extends Error {
  override readonly name = 'JournalMovedError';
  constructor(saga: string, known: number, found: number) {
    super(`the journal of saga ${saga} has ${found} entries, not ${known}: nothing was written`);
  }
}

/** The store gave no usable answer: down, restarting, too slow. Retry later; nothing is known to be wrong with the request. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
  readonly code = 'STORE_UNAVAILABLE';
  readonly retryable = true;
  /** True when the connection broke while a commit was under way: it may or may not have happened. Read before repeating. */
  readonly outcomeUnknown: boolean;
  constructor(doing: string, options: Readonly<{ cause: unknown; outcomeUnknown?: boolean }>) {
    const why = options.cause instanceof Error ? options.cause.message : String(options.cause);
    super(`authority store: ${doing}: ${why}; check that the database answers, it is asked again by itself`, {
      cause: options.cause,
    });
    this.outcomeUnknown = options.outcomeUnknown ?? false;
  }
}

/** Nothing is stored under that name: the caller's knowledge is older than the store's, or of another store. */
export class UnknownRowError extends Error {
  override readonly name = 'UnknownRowError';
  readonly code = 'UNKNOWN_ROW';
  constructor(
    readonly kind: 'group' | 'open saga',
    readonly key: string,
  ) {
    super(`the authority store holds no ${kind} ${key}: read again before acting`);
  }
}

/** The idempotency key was answered by a transaction that committed first: read that answer and send it. */
export class AnswerExistsError extends Error {
  override readonly name = 'AnswerExistsError';
  readonly code = 'ANSWER_EXISTS';
  constructor(readonly key: string) {
    super(`the idempotency key ${key} has its answer already: nothing was written`);
  }
}

import type { TokenRow } from '../tokens.port.js';
import type { ClusterGoal, JournalEntry, Proposal, SagaRecord } from '#failover';
import {
  type Alert,
  type AuditRow,
  type AuthorityStore,
  type EventRow,
  type GroupRow,
  type LeaseHolder,
  newGroupRow,
} from '../authority-store.port.js';

/** Rows for the conformance suite, complete and plausible. */

/** Opens a connection that is closed after the test. */
export type OpenStore = () => Promise<AuthorityStore>;

export const AT = '2026-11-20T14:02:31.000Z';

export const holder = (id: string): LeaseHolder => ({ id, advertise: `http://${id}:8080` });
export const A = holder('ctl-a');
export const B = holder('ctl-b');

/** Takes the lease as it stands, whoever holds it. The new term. */
export async function lead(store: AuthorityStore, me: LeaseHolder): Promise<number> {
  const taken = await store.acquireLease(await store.readLease(), me);
  if (!taken) throw new Error(`${me.id} did not get the lease`);
  return taken.term;
}

export const aGroup = (name = 'orders', more: Partial<GroupRow> = {}): GroupRow => ({
  ...newGroupRow({ name, active: 'a', mode: 'observe' }),
  epoch: 1,
  reservedEpoch: 1,
  ...more,
});

export const aProposal = (id: string, more: Partial<Proposal> = {}): Proposal => ({
  ...{ id, origin: 'matrix', act: 'failover', row: 400, condition: 'down', source: 'a', target: 'b', epoch: 1 },
  ...{ openedAt: AT, expiresAt: '2099-11-20T14:32:31.000Z', after: null, needed: 1, approvals: [], request: null },
  ...{ seen: { reasons: ['a says DOWN'], loss: null }, state: 'open', closed: null },
  ...more,
});

export const aSaga = (id: string, group = 'orders', more: Partial<SagaRecord> = {}): Omit<SagaRecord, 'journal'> => ({
  id,
  kind: 'failover',
  group,
  source: 'a',
  target: 'b',
  row: 410,
  trigger: 'auto',
  fromEpoch: 1,
  epoch: 2,
  term: 1,
  openedAt: AT,
  closedAt: null,
  outcome: null,
  ...more,
});

export const anEntry = (step: JournalEntry['step'], event: JournalEntry['event']): Omit<JournalEntry, 'seq'> => ({
  step,
  direction: 'do',
  event,
  term: 1,
  at: AT,
  deadlineMs: event === 'intent' ? 10_000 : null,
  evidence: event === 'intent' ? null : { seen: ['a', 1, true, null], by: 'agent-b' },
});

export const aGoal = (cluster: string, state: ClusterGoal['state'], epoch = 2): ClusterGoal => ({
  subject: 'cluster',
  group: 'orders',
  cluster,
  state,
  epoch,
  term: 1,
  topics: ['orders', 'pay-*'],
});

export const anEvent = (summary: string, group: string | null = 'orders'): Omit<EventRow, 'seq'> => ({
  at: AT,
  group,
  type: 'decision',
  row: 410,
  summary,
  detail: { z: 1, a: [null, 'ä'] },
  term: 1,
  epoch: 1,
});

export const anAudit = (action: string): Omit<AuditRow, 'seq' | 'hash' | 'previousHash'> => ({
  at: AT,
  actor: 'ctl-a',
  action,
  group: 'orders',
  reason: 'row 410 held for 20 s',
  detail: { votes: { 'agent-b': 'DOWN' }, before: { active: 'a' }, after: { active: 'b' } },
  term: 1,
  epoch: 2,
});

export const anAlert = (id: string): Alert => ({
  id,
  incident: 'inc-1',
  type: 'acting',
  group: 'orders',
  row: 410,
  reason: 'a does not answer',
  blockers: [{ name: 'COOLDOWN', liftedBy: 'pointsman ack orders' }],
  term: 1,
  epoch: 2,
  at: AT,
});

export const aToken = (id: string): TokenRow => ({
  ...{ id, name: `name of ${id}`, role: 'viewer', hash: id.padEnd(64, '0'), createdBy: 'file-token' },
  ...{ createdAt: AT, expiresAt: '2027-11-20T14:02:31.000Z', revokedAt: null },
});

import { describe, expect, it } from 'vitest';
import { verifyAuditChain } from '../audit-chain.js';
import type { AuthorityStore } from '../authority-store.port.js';
import { A, AT, aGroup, aSaga, anAlert, anAudit, anEvent, lead } from './builders.js';
import type { OpenStore } from './builders.js';

const OLD = '2026-08-01T00:00:00.000Z';
const BEFORE = '2026-08-22T14:02:31.000Z'; // 90 days before AT

export function retentionCases(open: OpenStore): void {
  describe('retention', () => {
    it('forgets old events, settled alerts, incidents that are over and kept answers, and nothing else', async () => {
      const store = await open();
      const term = await lead(store, A);
      await seed(store, term);
      const audit = await store.audit(0, 100);
      expect(await store.transact(term, A.id, (tx) => tx.forget(BEFORE, 100))).toEqual({
        ...{ events: 3, alerts: 1, incidents: 1, answers: 1 },
      });
      expect((await store.events(0, 100)).map((e) => e.summary)).toEqual(['new']);
      expect((await store.alerts('all', 100)).map((row) => row.alert.id)).toEqual(['new', 'owed']);
      expect((await store.openIncidents(100)).map((row) => row.incident)).toEqual(['story-owed', 'story-new']);
      expect([await store.idempotent('old'), (await store.idempotent('new'))?.at]).toEqual([null, AT]);
      expect(await store.audit(0, 100)).toEqual(audit);
      expect(verifyAuditChain(audit)).toEqual({ ok: true });
      expect(await store.sagas('orders', 10)).toHaveLength(1);
      expect(await store.transact(term, A.id, (tx) => tx.forget(BEFORE, 100))).toEqual({
        ...{ events: 0, alerts: 0, incidents: 0, answers: 0 },
      });
    });

    it('takes at most so many at once, oldest first, and numbers go on after the last', async () => {
      const store = await open();
      const term = await lead(store, A);
      await store.transact(term, A.id, async (tx) => {
        for (let i = 1; i <= 5; i += 1) await tx.appendEvent({ ...anEvent(`${i}`), at: OLD });
      });
      const forget = (limit: number) => store.transact(term, A.id, (tx) => tx.forget(BEFORE, limit));
      expect((await forget(2)).events).toBe(2);
      expect((await store.events(0, 9)).map((e) => e.seq)).toEqual([3, 4, 5]);
      expect((await forget(9)).events).toBe(2);
      await store.transact(term, A.id, (tx) => tx.appendEvent(anEvent('6')));
      expect((await store.events(0, 9)).map((e) => e.seq)).toEqual([5, 6]);
    });
  });
}

async function seed(store: AuthorityStore, term: number): Promise<void> {
  await store.transact(term, A.id, async (tx) => {
    await tx.saveGroup(aGroup());
    await tx.openSaga(aSaga('saga-1', 'orders', { openedAt: OLD }));
    await tx.appendAudit({ ...anAudit('old'), at: OLD });
    for (const summary of ['1', '2', '3']) await tx.appendEvent({ ...anEvent(summary), at: OLD });
    await tx.appendEvent(anEvent('new'));
    for (const id of ['told', 'owed', 'new']) {
      const type = id === 'told' ? ('completed' as const) : ('acting' as const);
      await tx.enqueueAlert({ ...anAlert(id), incident: `story-${id}`, type, at: id === 'new' ? AT : OLD });
    }
    await tx.rememberAnswer('old', { bodyHash: 'h', status: 200, body: null, at: OLD });
    await tx.rememberAnswer('new', { bodyHash: 'h', status: 200, body: null, at: AT });
  });
  await store.markAlert('told', 'oncall', { deliveredAt: OLD });
  await store.settleAlert('told', 0, OLD);
}

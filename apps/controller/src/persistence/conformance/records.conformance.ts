import { describe, expect, it } from 'vitest';
import { verifyAuditChain } from '../audit-chain.js';
import type { LedgerRow } from '../authority-store.port.js';
import { AnswerExistsError } from '../authority-store.port.js';
import { A, AT, B, aGroup, anAudit, anEvent, aToken, lead } from './builders.js';
import type { OpenStore } from './builders.js';

export function recordCases(open: OpenStore): void {
  describe('records', () => {
    it('numbers events from 1 in commit order and pages through them', async () => {
      const store = await open();
      const term = await lead(store, A);
      await store.transact(term, A.id, async (tx) => {
        await Promise.all(['1', '2', '3'].map((s) => tx.appendEvent(anEvent(s))));
      });
      await store.transact(term, A.id, async (tx) => {
        await tx.appendEvent(anEvent('4', null));
        await tx.appendEvent({ ...anEvent('5', 'payments'), row: null, epoch: null });
      });
      expect(await store.events(0, 2)).toEqual([
        { ...anEvent('1'), seq: 1 },
        { ...anEvent('2'), seq: 2 },
      ]);
      expect((await store.events(2, 10)).map((e) => e.seq)).toEqual([3, 4, 5]);
      expect((await store.events(0, 10, 'payments')).map((e) => e.seq)).toEqual([5]);
      expect((await store.lastEvents(2)).map((e) => e.seq)).toEqual([4, 5]);
      expect((await store.lastEvents(1, 'orders')).map((e) => e.seq)).toEqual([3]);
      expect(await store.events(5, 10)).toEqual([]);
    });

    it('chains audit rows by hash, across leaders and rolled back transactions', async () => {
      const store = await open();
      const first = await lead(store, A);
      await store.transact(first, A.id, async (tx) => {
        await Promise.all([tx.appendAudit(anAudit('open')), tx.appendAudit(anAudit('fence'))]);
      });
      const lost = store.transact(first, A.id, async (tx) => {
        await tx.appendAudit(anAudit('never'));
        throw new Error('undone');
      });
      await expect(lost).rejects.toThrow('undone');
      const second = await lead(store, B);
      await store.transact(second, B.id, (tx) => tx.appendAudit({ ...anAudit('publish'), group: null, epoch: null }));
      const rows = await store.audit(0, 100);
      expect(rows.map((r) => [r.seq, r.action])).toEqual([
        [1, 'open'],
        [2, 'fence'],
        [3, 'publish'],
      ]);
      expect(rows[0]).toMatchObject(anAudit('open'));
      expect((await store.lastAudit(1, 'orders')).map((r) => r.action)).toEqual(['fence']);
      expect((await store.lastAudit(9, 'orders')).map((r) => r.action)).toEqual(['open', 'fence']);
      expect(await store.lastAct('orders', 'open')).toEqual(rows[0]);
      await store.transact(second, B.id, (tx) => tx.appendAudit({ ...anAudit('open'), reason: 'once more' }));
      expect(await store.lastAct('orders', 'open')).toMatchObject({ seq: 4, reason: 'once more' });
      expect(await store.lastAct('orders', 'publish')).toBeNull();
      expect(await store.lastAct('payments', 'open')).toBeNull();
      expect(verifyAuditChain(rows)).toEqual({ ok: true });
      expect(verifyAuditChain(await store.audit(1, 1))).toEqual({ ok: true });
    });

    it('keeps what holds for all groups, in the transaction that says so', async () => {
      const store = await open();
      const term = await lead(store, A);
      expect(await store.fleet()).toEqual({ pause: null, unpausedAt: null });
      const pause = { owner: 'kim', reason: 'network work', at: AT, expiresAt: AT };
      await store.transact(term, A.id, async (tx) => tx.saveFleet({ ...(await tx.fleet()), pause }));
      expect(await store.fleet()).toEqual({ pause, unpausedAt: null });
      const undone = store.transact(term, A.id, async (tx) => {
        await tx.saveFleet({ pause: null, unpausedAt: AT });
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
      expect(await (await open()).fleet()).toEqual({ pause, unpausedAt: null });
    });

    it('keeps the ledger per switch and partition, with offsets as numbers up to 2^53 - 1', async () => {
      const store = await open();
      const term = await lead(store, A);
      const big = Number.MAX_SAFE_INTEGER;
      const row = (partition: number, more: Partial<LedgerRow> = {}): LedgerRow => ({
        ...{ group: 'orders', epoch: 2, from: 'a', to: 'b', topic: 'orders', partition, s: big },
        ...{ n: null, sourceEnd: null, sourceEndAgeMs: null, ...more },
      });
      const many = Array.from({ length: 1_200 }, (_, i) => row(i));
      await store.transact(term, A.id, (tx) => tx.saveLedger(many));
      await store.transact(term, A.id, (tx) =>
        tx.saveLedger([row(7, { n: big - 1, sourceEnd: big, sourceEndAgeMs: 12 })]),
      );
      await store.transact(term, A.id, (tx) => tx.saveLedger([row(0, { epoch: 3, s: 0 })]));
      const kept = await store.ledger('orders');
      expect(kept).toHaveLength(1_201);
      expect(kept[7]).toEqual(row(7, { n: big - 1, sourceEnd: big, sourceEndAgeMs: 12 }));
      expect(kept.at(-1)).toEqual(row(0, { epoch: 3, s: 0 }));
      expect(await store.ledger('payments')).toEqual([]);
      expect(await store.ledger('orders', 3)).toEqual([row(0, { epoch: 3, s: 0 })]);
      expect(await store.ledger('orders', 2)).toHaveLength(1_200);
      expect(await store.ledger('orders', 4)).toEqual([]);
    });

    it('gives the newest switch from a cluster, to one, or between two, with its rows only', async () => {
      const store = await open();
      const term = await lead(store, A);
      const row = (epoch: number, from: string, to: string, partition = 0, group = 'orders'): LedgerRow => ({
        ...{ group, epoch, from, to, topic: 'orders', partition, s: epoch },
        ...{ n: null, sourceEnd: null, sourceEndAgeMs: null },
      });
      const kept = [row(2, 'a', 'b'), row(3, 'b', 'a'), row(10, 'a', 'b', 1), row(10, 'a', 'b'), row(11, 'b', 'c')];
      await store.transact(term, A.id, (tx) => tx.saveLedger([...kept, row(12, 'a', 'b', 0, 'payments')]));
      expect(await store.lastSwitch('orders', { from: 'a' })).toEqual([row(10, 'a', 'b'), row(10, 'a', 'b', 1)]);
      expect(await store.lastSwitch('orders', { from: 'b' })).toEqual([row(11, 'b', 'c')]);
      expect(await store.lastSwitch('orders', { to: 'a' })).toEqual([row(3, 'b', 'a')]);
      expect(await store.lastSwitch('orders', { from: 'b', to: 'a' })).toEqual([row(3, 'b', 'a')]);
      expect(await store.lastSwitch('orders', { from: 'c' })).toEqual([]);
    });

    it('keeps tokens by their hash, and what became of them', async () => {
      const store = await open();
      const term = await lead(store, A);
      await store.transact(term, A.id, async (tx) => {
        for (const id of ['t1', 't2']) await tx.saveToken(aToken(id));
        await tx.saveToken({ ...aToken('t1'), revokedAt: AT });
      });
      expect(await store.tokens()).toEqual([{ ...aToken('t1'), revokedAt: AT }, aToken('t2')]);
    });

    it('remembers one answer per key, and a second one undoes its transaction', async () => {
      const store = await open();
      const term = await lead(store, A);
      const answer = { bodyHash: 'h1', status: 202, body: { paused: true, at: [1, null] }, at: AT };
      expect(await store.idempotent('k')).toBeNull();
      await store.transact(term, A.id, (tx) => tx.rememberAnswer('k', answer));
      const again = store.transact(term, A.id, async (tx) => {
        await tx.saveGroup(aGroup());
        await tx.rememberAnswer('k', { ...answer, status: 500 });
      });
      await expect(again).rejects.toThrow(AnswerExistsError);
      expect(await store.idempotent('k')).toEqual(answer);
      expect(await store.groups()).toEqual([]);
    });

    it('lists the controllers by their latest word, without a lease', async () => {
      const store = await open();
      const row = { id: 'ctl-b', idc: 'b', advertise: 'http://b', policyDigest: 'd1', beats: 1, version: '0.1.0' };
      await store.announceController(row);
      await store.announceController({ ...row, id: 'ctl-a' });
      await store.announceController({ ...row, beats: 2, policyDigest: 'd2' });
      expect(await store.controllers()).toEqual([
        { ...row, id: 'ctl-a' },
        { ...row, beats: 2, policyDigest: 'd2' },
      ]);
    });
  });
}

import { describe, expect, it } from 'vitest';
import type { Alert, DeliveryRow } from '../alerts.port.js';
import { A, AT, anAlert, lead } from './builders.js';
import type { OpenStore } from './builders.js';

const LATER = '2026-11-20T15:00:00.000Z';

const delivery = (receiver: string, more: Partial<DeliveryRow>): DeliveryRow => ({
  ...{ receiver, deliveredAt: null, attempts: 1, lastError: null, attemptedAt: AT, deadAt: null, round: 1 },
  ...more,
});

/** The outbox is the truth about what is still owed to whom, whatever carries the alerts. */
export function alertCases(open: OpenStore): void {
  const withAlerts = async (...alerts: readonly Alert[]) => {
    const store = await open();
    const term = await lead(store, A);
    const enqueue = (...more: readonly Alert[]) =>
      store.transact(term, A.id, async (tx) => {
        for (const alert of more) await tx.enqueueAlert(alert);
      });
    await enqueue(...alerts);
    const resend = (id: string, receivers: readonly string[] | null) =>
      store.transact(term, A.id, (tx) => tx.resendAlert(id, receivers));
    return { store, term, enqueue, resend };
  };

  describe('the outbox', () => {
    it('keeps an alert until it is settled, whatever is marked', async () => {
      const { store, enqueue } = await withAlerts(anAlert('x1'), anAlert('x2'), anAlert('x1'));
      await enqueue(anAlert('x2'));
      await store.markAlert('x1', 'oncall', { failedAt: AT, error: '503' });
      await store.markAlert('x1', 'oncall', { failedAt: LATER, error: '504' });
      await store.markAlert('x1', 'mail', { deliveredAt: AT });
      expect(await store.pendingAlerts(10)).toEqual([
        {
          alert: anAlert('x1'),
          seq: 1,
          resends: 0,
          settledAt: null,
          deliveries: [
            delivery('mail', { deliveredAt: AT }),
            delivery('oncall', { attempts: 2, lastError: '504', attemptedAt: LATER }),
          ],
        },
        { alert: anAlert('x2'), seq: 2, resends: 0, settledAt: null, deliveries: [] },
      ]);
      expect(await store.pendingAlerts(1)).toHaveLength(1);
      await store.settleAlert('x1', 0, AT);
      await store.settleAlert('x1', 0, LATER);
      await store.settleAlert('unknown', 0, AT);
      expect((await store.pendingAlerts(10)).map((r) => r.alert.id)).toEqual(['x2']);
      await enqueue(anAlert('x1'));
      expect((await store.pendingAlerts(10)).map((r) => r.alert.id)).toEqual(['x2']);
      expect((await store.alert('x1'))?.settledAt).toBe(AT);
      expect(await store.alert('unknown')).toBeNull();
    });

    it('is read page by page, however much of it was settled in between', async () => {
      const { store, enqueue } = await withAlerts(...['x1', 'x2', 'x3', 'x4', 'x5'].map((id) => anAlert(id)));
      const ids = async (limit: number, after: number) =>
        (await store.pendingAlerts(limit, after)).map((row) => row.alert.id);
      const [, second] = await store.pendingAlerts(2);
      await store.settleAlert('x1', 0, AT);
      await store.settleAlert('x3', 0, AT);
      await store.markAlert('x4', 'oncall', { failedAt: AT, error: '503' });
      expect(await ids(2, second!.seq)).toEqual(['x4', 'x5']);
      const [fourth, last] = await store.pendingAlerts(2, second!.seq);
      expect(fourth?.deliveries).toEqual([delivery('oncall', { lastError: '503' })]);
      expect(await ids(2, last!.seq)).toEqual([]);
      await enqueue(anAlert('x6'));
      expect(await ids(2, last!.seq)).toEqual(['x6']);
      expect(await ids(10, 0)).toEqual(['x2', 'x4', 'x5', 'x6']);
    });

    it('never turns a delivery into a failure, and counts marks made at once', async () => {
      const { store } = await withAlerts(anAlert('x1'));
      await Promise.all(
        Array.from({ length: 5 }, () => store.markAlert('x1', 'oncall', { failedAt: AT, error: '503' })),
      );
      await store.markAlert('x1', 'oncall', { deliveredAt: AT });
      await store.markAlert('x1', 'oncall', { failedAt: AT, error: 'late', dead: true });
      const [row] = await store.pendingAlerts(10);
      expect(row!.deliveries).toEqual([delivery('oncall', { deliveredAt: AT, attempts: 6 })]);
    });

    it('keeps a dead letter dead when an earlier failure of the same round is marked late', async () => {
      const { store, resend } = await withAlerts(anAlert('x1'));
      await store.markAlert('x1', 'oncall', { failedAt: AT, error: 'refused', dead: true, round: 1 });
      await store.settleAlert('x1', 0, AT);
      await store.markAlert('x1', 'oncall', { failedAt: LATER, error: '503', dead: false, round: 1 });
      const [row] = await store.alerts('dead', 10);
      expect(row?.deliveries).toEqual([
        delivery('oncall', { attempts: 2, lastError: '503', attemptedAt: LATER, deadAt: AT }),
      ]);
      expect(await resend('x1', null)).toEqual(['oncall']);
    });

    it('lists what was given up on, newest first, and opens it again once, in a new round', async () => {
      const { store, resend } = await withAlerts(anAlert('x1'), anAlert('x2'), anAlert('x3'));
      for (const id of ['x1', 'x3']) {
        await store.markAlert(id, 'oncall', { failedAt: AT, error: 'refused', dead: true });
        await store.markAlert(id, 'mail', { deliveredAt: AT });
        await store.settleAlert(id, 0, AT);
      }
      expect((await store.alerts('dead', 10)).map((r) => r.alert.id)).toEqual(['x3', 'x1']);
      expect((await store.alerts('dead', 1)).map((r) => r.alert.id)).toHaveLength(1);
      expect((await store.alerts('pending', 10)).map((r) => r.alert.id)).toEqual(['x2']);
      expect((await store.alerts('all', 2)).map((r) => r.alert.id)).toEqual(['x3', 'x2']);
      expect(await resend('x1', ['mail'])).toEqual([]);
      const both = await Promise.all([resend('x1', null), resend('x1', null)]);
      expect(both.flat()).toEqual(['oncall']);
      expect(await store.alert('x1')).toMatchObject({
        settledAt: null,
        deliveries: [{ receiver: 'mail' }, delivery('oncall', { attempts: 0, lastError: 'refused', round: 2 })],
      });
      await store.markAlert('x1', 'oncall', { failedAt: LATER, error: 'late, of the round before', round: 1 });
      expect((await store.alert('x1'))?.deliveries[1]).toMatchObject({ attempts: 0, round: 2 });
      await store.markAlert('x1', 'oncall', { deliveredAt: LATER });
      expect((await store.alerts('dead', 10)).map((r) => r.alert.id)).toEqual(['x3']);
    });

    it('stays owed when a dead letter was sent again between the look that found it ended and its settling', async () => {
      const { store, resend } = await withAlerts(anAlert('x1'), anAlert('x2'));
      await store.markAlert('x1', 'oncall', { failedAt: AT, error: 'refused', dead: true });
      const [seen] = await store.pendingAlerts(10);
      expect(await resend('x1', null)).toEqual(['oncall']);
      await store.settleAlert('x1', seen!.resends, LATER);
      expect((await store.alert('x1'))?.settledAt).toBeNull();
      const pending = await store.pendingAlerts(10); // in its place: it may be owed to others too
      expect(pending.map((row) => row.alert.id)).toEqual(['x1', 'x2']);
      await store.markAlert('x1', 'oncall', { deliveredAt: LATER });
      await store.settleAlert('x1', pending[0]!.resends, LATER);
      expect((await store.pendingAlerts(10)).map((row) => row.alert.id)).toEqual(['x2']);
      expect(await resend('x1', null)).toEqual([]);
      expect((await store.alert('x1'))?.settledAt).toBe(LATER);
    });
  });

  describe('incidents', () => {
    const told = (id: string, type: Alert['type'], incident: string, at = AT): Alert => ({
      ...anAlert(id),
      ...{ type, incident, at },
    });

    it('go on from suspicion to completion under one key, and are over then', async () => {
      const { store, term, enqueue } = await withAlerts(told('1', 'suspected', 'f-1'), told('2', 'link_cut', 'l-1'));
      await enqueue(told('3', 'acting', 'f-1', LATER), told('4', 'acknowledged', 'f-1', LATER));
      expect(await store.openIncidents(10)).toEqual([
        {
          incident: 'f-1',
          group: 'orders',
          openedAt: AT,
          types: ['suspected', 'acting'],
          last: told('3', 'acting', 'f-1', LATER),
          acknowledgedAt: LATER,
          resolvedAt: null,
        },
        expect.objectContaining({ incident: 'l-1', acknowledgedAt: null }),
      ]);
      await enqueue(told('5', 'completed', 'f-1', LATER), told('6', 'resolved', 'l-1', LATER));
      expect(await store.openIncidents(10)).toEqual([]);
      const again = store.transact(term, A.id, async (tx) => {
        await tx.enqueueAlert(told('7', 'suspected', 'f-1', LATER));
        await tx.enqueueAlert({ ...told('8', 'suspected', 'p-1', LATER), group: 'payments' });
        return tx.openIncidents('orders');
      });
      expect((await again).map((row) => row.incident)).toEqual(['f-1']);
      expect(await store.incidentNames('orders', 10)).toEqual(['l-1', 'f-1']);
      expect(await store.incidentNames('orders', 1)).toEqual(['l-1']);
    });
  });
}

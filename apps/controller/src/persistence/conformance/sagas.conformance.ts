import { describe, expect, it } from 'vitest';
import type { FlowGoal } from '#failover';
import { JournalMovedError, OpenSagaExistsError, UnknownRowError } from '../authority-store.port.js';
import { A, AT, B, aGoal, aGroup, aProposal, aSaga, anEntry, lead } from './builders.js';
import type { OpenStore } from './builders.js';

export function sagaCases(open: OpenStore): void {
  describe('groups and sagas', () => {
    it('keeps a group whole', async () => {
      const store = await open();
      const term = await lead(store, A);
      const full = aGroup('orders', {
        pause: { owner: 'ann', reason: 'works', at: AT, expiresAt: AT },
        lastUnpublishedClose: { at: AT, attempts: 2, outcome: 'FAILED' },
        lossAcceptance: { by: 'ann', reason: 'dead', maxRecords: 9_007_199_254_740_991, maxMs: null, expiresAt: AT },
        rejoin: ['a'],
        mode: 'approve',
        modeChangedAt: AT,
        modeSet: { by: 'operator:ann', reason: 'watched for a month' },
        proposal: aProposal('p-1', {
          approvals: [{ identity: 'token:ann', by: 'operator:ann', reason: 'seen', at: AT }],
        }),
        frozen: 'foreign content under epoch 3',
      });
      const inside = await store.transact(term, A.id, async (tx) => {
        expect(await tx.group('orders')).toBeNull();
        await tx.saveGroup(aGroup());
        await tx.saveGroup(full);
        return tx.group('orders');
      });
      expect(inside).toEqual(full);
      expect(await store.groups()).toEqual([full]);
    });

    it('reserves rising epochs: over every older one, over what was heard, across leaders and failed transactions', async () => {
      const store = await open();
      const first = await lead(store, A);
      await store.transact(first, A.id, (tx) => tx.saveGroup(aGroup()));
      const reserve = (term: number, id: string, atLeast: number) =>
        store.transact(term, id, (tx) => tx.reserveEpoch('orders', atLeast));
      expect(await reserve(first, A.id, 0)).toBe(2);
      expect(await reserve(first, A.id, 10)).toBe(11);
      const crashed = store.transact(first, A.id, async (tx) => {
        await tx.reserveEpoch('orders', 0);
        throw new Error('crash');
      });
      await expect(crashed).rejects.toThrow('crash');
      const second = await lead(store, B);
      expect(await reserve(second, B.id, 3)).toBeGreaterThan(11);
      // A row read before the reservation must not take it back.
      await store.transact(second, B.id, (tx) => tx.saveGroup(aGroup('orders', { reservedEpoch: 1, epoch: 1 })));
      expect(await reserve(second, B.id, 0)).toBeGreaterThan(12);
      await expect(store.transact(second, B.id, (tx) => tx.reserveEpoch('nobody', 0))).rejects.toThrow(UnknownRowError);
    });

    it('has one open saga per group', async () => {
      const store = await open();
      const term = await lead(store, A);
      const openOne = (id: string, group?: string) => store.transact(term, A.id, (tx) => tx.openSaga(aSaga(id, group)));
      await openOne('s1');
      await expect(openOne('s2')).rejects.toThrow(OpenSagaExistsError);
      await openOne('s3', 'payments');
      expect((await store.openSagas()).map((s) => s.id).toSorted()).toEqual(['s1', 's3']);
      await store.transact(term, A.id, (tx) => tx.closeSaga('s1', 'FAILED', AT));
      await openOne('s2');
      expect((await store.openSagas()).map((s) => s.id).toSorted()).toEqual(['s2', 's3']);
      expect(await store.saga('s1')).toMatchObject({ outcome: 'FAILED', closedAt: AT });
      await expect(store.transact(term, A.id, (tx) => tx.closeSaga('s1', 'DONE', AT))).rejects.toThrow(UnknownRowError);
    });

    it('lets one of two at once open a saga, and the other transaction may go on after the refusal', async () => {
      const store = await open();
      const term = await lead(store, A);
      const results = await Promise.all(
        ['s1', 's2'].map((id) =>
          store.transact(term, A.id, async (tx) => {
            try {
              await tx.openSaga(aSaga(id));
              return 'opened';
            } catch (error) {
              expect(error).toBeInstanceOf(OpenSagaExistsError);
              await tx.saveGroup(aGroup());
              return 'refused';
            }
          }),
        ),
      );
      expect(results.toSorted()).toEqual(['opened', 'refused']);
      expect(await store.groups()).toHaveLength(1);
    });

    it('numbers the journal from 1 without holes, also when appended at once and by the next leader', async () => {
      const store = await open();
      const first = await lead(store, A);
      await store.transact(first, A.id, async (tx) => {
        await tx.openSaga(aSaga('s1'));
        await Promise.all([
          tx.appendJournal('s1', [anEntry('confirm', 'intent')]),
          tx.appendJournal('s1', [anEntry('confirm', 'done'), anEntry('open', 'intent')]),
        ]);
      });
      const second = await lead(store, B);
      await store.transact(second, B.id, async (tx) => {
        await tx.claimSaga('s1', second);
        await tx.appendJournal('s1', [anEntry('open', 'done')]);
        await tx.appendJournal('s1', []);
      });
      const saga = await store.saga('s1');
      expect(saga).toMatchObject({ term: second, group: 'orders', row: 410, outcome: null });
      expect(saga!.journal).toEqual([
        { ...anEntry('confirm', 'intent'), seq: 1 },
        { ...anEntry('confirm', 'done'), seq: 2 },
        { ...anEntry('open', 'intent'), seq: 3 },
        { ...anEntry('open', 'done'), seq: 4 },
      ]);
      await expect(store.transact(second, B.id, (tx) => tx.claimSaga('none', 9))).rejects.toThrow(UnknownRowError);
      await expect(
        store.transact(second, B.id, (tx) => tx.appendJournal('none', [anEntry('open', 'done')])),
      ).rejects.toThrow(UnknownRowError);
      expect(await store.saga('none')).toBeNull();
    });

    it('refuses entries behind a journal that went on meanwhile, with all that was of the same transaction', async () => {
      const store = await open();
      const term = await lead(store, A);
      await store.transact(term, A.id, async (tx) => {
        await tx.openSaga(aSaga('s1'));
        await tx.appendJournal('s1', [anEntry('confirm', 'intent')], 0);
      });
      const late = store.transact(term, A.id, async (tx) => {
        await tx.closeSaga('s1', 'DONE', AT);
        await tx.appendJournal('s1', [anEntry('confirm', 'done')], 0);
      });
      await expect(late).rejects.toThrow(JournalMovedError);
      expect(await store.saga('s1')).toMatchObject({ outcome: null, journal: [{ seq: 1 }] });
    });

    it('says inside a transaction whether the group has an open saga', async () => {
      const store = await open();
      const term = await lead(store, A);
      const seen = await store.transact(term, A.id, async (tx) => {
        const before = await tx.hasOpenSaga('orders');
        await tx.openSaga(aSaga('s1'));
        const during = await tx.hasOpenSaga('orders');
        await tx.closeSaga('s1', 'DONE', AT);
        return { before, during, after: await tx.hasOpenSaga('orders'), other: await tx.hasOpenSaga('payments') };
      });
      expect(seen).toEqual({ before: false, during: true, after: false, other: false });
    });

    it('lists sagas of a group newest first, with their journals', async () => {
      const store = await open();
      const term = await lead(store, A);
      for (const [i, id] of ['s1', 's2', 's3'].entries()) {
        await store.transact(term, A.id, async (tx) => {
          await tx.openSaga(aSaga(id, 'orders', { openedAt: `2026-11-2${i}T00:00:00.000Z` }));
          await tx.appendJournal(id, [anEntry('confirm', 'intent')]);
          await tx.closeSaga(id, 'ABORTED', AT);
        });
      }
      const sagas = await store.sagas('orders', 2);
      expect(sagas.map((s) => [s.id, s.journal.length])).toEqual([
        ['s3', 1],
        ['s2', 1],
      ]);
      expect(await store.sagas('payments', 10)).toEqual([]);
      expect(await store.sagaHeads('orders', 2)).toEqual(sagas.map(({ journal: _journal, ...head }) => head));
      expect(await store.sagaHeads('payments', 10)).toEqual([]);
    });

    it('keeps one goal per subject', async () => {
      const store = await open();
      const term = await lead(store, A);
      const flow: FlowGoal = {
        subject: 'flow',
        group: 'orders',
        from: 'a',
        to: 'b',
        state: 'stopped',
        epoch: 2,
        term: 1,
        connectors: { source: 's', checkpoint: 'c', heartbeat: 'h' },
      };
      await store.transact(term, A.id, async (tx) => {
        await tx.saveGoal(aGoal('a', 'open'));
        await tx.saveGoal(aGoal('a', 'fenced', 3));
        await tx.saveGoal(aGoal('b', 'open'));
        await tx.saveGoal(flow);
        expect(await tx.dropGoal('orders/cluster/b', 2)).toBe(true);
        expect(await tx.dropGoal('orders/cluster/b', 2)).toBe(false);
      });
      expect(await store.goals()).toEqual([aGoal('a', 'fenced', 3), flow]);
    });

    it('keeps how long a goal is to stand, and drops none but the one that was meant', async () => {
      const store = await open();
      const term = await lead(store, A);
      const passing = { ...aGoal('a', 'fenced', 3), until: 'reached' } as const;
      await store.transact(term, A.id, (tx) => tx.saveGoal(passing));
      expect(await store.goals()).toEqual([passing]);
      await store.transact(term, A.id, async (tx) => {
        await tx.saveGoal(aGoal('a', 'open', 4));
        expect(await tx.dropGoal('orders/cluster/a', 3)).toBe(false);
      });
      expect(await store.goals()).toEqual([aGoal('a', 'open', 4)]);
    });
  });
}

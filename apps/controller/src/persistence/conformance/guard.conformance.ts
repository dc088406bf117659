import { describe, expect, it } from 'vitest';
import type { AuthorityStore, AuthorityTx } from '../authority-store.port.js';
import { LostLeadershipError } from '../authority-store.port.js';
import { A, AT, B, aGoal, aGroup, aSaga, anAlert, anAudit, anEntry, anEvent, aToken, lead } from './builders.js';
import type { OpenStore } from './builders.js';

/** Every way to write under the lease: a new method of the port must be added here to compile. */
const WRITES: { readonly [M in keyof AuthorityTx]: (tx: AuthorityTx) => Promise<unknown> } = {
  group: (tx) => tx.group('orders'),
  saveGroup: (tx) => tx.saveGroup(aGroup('orders', { active: 'b' })),
  fleet: (tx) => tx.fleet(),
  saveFleet: (tx) => tx.saveFleet({ pause: null, unpausedAt: AT }),
  reserveEpoch: (tx) => tx.reserveEpoch('orders', 5),
  openSaga: (tx) => tx.openSaga(aSaga('saga-2', 'other')),
  claimSaga: (tx) => tx.claimSaga('saga-1', 99),
  appendJournal: (tx) => tx.appendJournal('saga-1', [anEntry('confirm', 'intent')]),
  hasOpenSaga: (tx) => tx.hasOpenSaga('orders'),
  closeSaga: (tx) => tx.closeSaga('saga-1', 'DONE', AT),
  saveGoal: (tx) => tx.saveGoal(aGoal('a', 'fenced')),
  dropGoal: (tx) => tx.dropGoal('orders/cluster/b', 2),
  saveLedger: (tx) =>
    tx.saveLedger([
      {
        group: 'orders',
        epoch: 2,
        from: 'a',
        to: 'b',
        topic: 't',
        partition: 0,
        s: 1,
        n: 1,
        sourceEnd: 1,
        sourceEndAgeMs: 1,
      },
    ]),
  appendEvent: (tx) => tx.appendEvent(anEvent('x')),
  appendAudit: (tx) => tx.appendAudit(anAudit('x')),
  saveToken: (tx) => tx.saveToken(aToken('t1')),
  openIncidents: (tx) => tx.openIncidents('orders'),
  enqueueAlert: (tx) => tx.enqueueAlert(anAlert('x')),
  resendAlert: (tx) => tx.resendAlert('dead', null),
  rememberAnswer: (tx) => tx.rememberAnswer('k', { bodyHash: 'h', status: 200, body: null, at: AT }),
  forget: (tx) => tx.forget('9999-01-01T00:00:00.000Z', 10),
};

const everything = async (store: AuthorityStore) => ({
  groups: await store.groups(),
  sagas: [...(await store.sagas('orders', 10)), ...(await store.sagas('other', 10))],
  goals: await store.goals(),
  ledger: await store.ledger('orders'),
  events: await store.events(0, 100),
  audit: await store.audit(0, 100),
  alerts: await store.pendingAlerts(100),
  answer: await store.idempotent('k'),
});

const seed = async (store: AuthorityStore, term: number): Promise<void> => {
  await store.transact(term, A.id, async (tx) => {
    await tx.saveGroup(aGroup());
    await tx.openSaga(aSaga('saga-1'));
    await tx.saveGoal(aGoal('b', 'open'));
    await tx.enqueueAlert(anAlert('dead'));
  });
  await store.markAlert('dead', 'oncall', { failedAt: AT, error: 'refused', dead: true });
};

export function guardCases(open: OpenStore): void {
  describe('the guard', () => {
    it.each(Object.entries(WRITES))('refuses a stale term: %s', async (_method, write) => {
      const store = await open();
      const term = await lead(store, A);
      await seed(store, term);
      await lead(store, B);
      const before = await everything(store);
      await expect(store.transact(term, A.id, write)).rejects.toThrow(LostLeadershipError);
      expect(await everything(store)).toEqual(before);
    });

    it('refuses the right term of another holder, the holder at another term, and a released or raised lease', async () => {
      const store = await open();
      const term = await lead(store, A);
      const write = (t: number, id: string) => store.transact(t, id, WRITES.appendEvent);
      await expect(write(term, B.id)).rejects.toThrow(LostLeadershipError);
      await expect(write(term + 1, A.id)).rejects.toThrow(LostLeadershipError);
      await write(term, A.id);
      await store.raiseTerm(term + 5);
      await expect(write(term, A.id)).rejects.toThrow(LostLeadershipError);
      await expect(write(term + 5, A.id)).rejects.toThrow(LostLeadershipError);
      const again = await lead(store, A);
      await store.releaseLease(again, A);
      await expect(write(again, A.id)).rejects.toThrow(LostLeadershipError);
      expect(await store.events(0, 10)).toHaveLength(1);
    });

    it('does not change what candidates compare', async () => {
      const store = await open();
      const term = await lead(store, A);
      const before = await store.readLease();
      await store.transact(term, A.id, WRITES.appendEvent);
      expect(await store.readLease()).toEqual(before);
    });

    it('lets no transaction of the old leader commit after the lease was taken from it', async () => {
      const [one, two] = [await open(), await open()];
      let term = await lead(one, A);
      for (let round = 0; round < 10; round += 1) {
        const seen = await two.readLease();
        const before = (await two.lastEvents(1))[0]?.seq ?? 0;
        let taken: number | null = null;
        const takeover = two.acquireLease(seen, B).then(async (row) => {
          taken = row?.term ?? null;
          return (await two.lastEvents(1))[0]?.seq ?? 0; // all that A had committed by then
        });
        const writes = Array.from({ length: 4 }, () =>
          one
            .transact(term, A.id, (tx) => tx.appendEvent(anEvent(`round ${round}`)))
            .then(
              () => 'written' as const,
              (error: unknown) => {
                expect(error).toBeInstanceOf(LostLeadershipError);
                return 'refused' as const;
              },
            ),
        );
        const written = (await Promise.all(writes)).filter((w) => w === 'written').length;
        const seqAtTakeover = await takeover;
        expect(taken).toBe(term + 1);
        expect((await two.lastEvents(1))[0]?.seq ?? 0).toBe(seqAtTakeover);
        expect(seqAtTakeover - before).toBe(written);
        term = await lead(one, A);
      }
    });

    it('makes concurrent transactions of one leader follow each other', async () => {
      const store = await open();
      const term = await lead(store, A);
      await store.transact(term, A.id, (tx) => tx.saveGroup(aGroup()));
      const epochs = await Promise.all(
        Array.from({ length: 8 }, () => store.transact(term, A.id, (tx) => tx.reserveEpoch('orders', 0))),
      );
      expect(epochs.toSorted((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    });

    it('writes nothing when the work fails, and is usable again', async () => {
      const store = await open();
      const term = await lead(store, A);
      await seed(store, term);
      const before = await everything(store);
      const failure = new Error('the work failed');
      const work = store.transact(term, A.id, async (tx) => {
        for (const [method, write] of Object.entries(WRITES)) if (method !== 'dropGoal') await write(tx);
        throw failure;
      });
      await expect(work).rejects.toBe(failure);
      expect(await everything(store)).toEqual(before);
      await store.transact(term, A.id, WRITES.appendEvent);
      expect(await store.events(0, 10)).toHaveLength(1);
    });

    it('gives back what the work gave, and takes no call after its end', async () => {
      const store = await open();
      const term = await lead(store, A);
      let kept: AuthorityTx | null = null;
      const result = await store.transact(term, A.id, async (tx) => {
        kept = tx;
        return 'result';
      });
      expect(result).toBe('result');
      await expect(kept!.appendEvent(anEvent('late'))).rejects.toThrow('over');
      expect(await store.events(0, 10)).toEqual([]);
    });
  });
}

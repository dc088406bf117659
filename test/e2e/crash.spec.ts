import { describe, expect, it } from 'vitest';
import { type Chain, crashEnv, followChain, waitForLeader } from './support/leader-chain.js';
import { onStand, type Stand } from './support/stand.js';

const FOLLOW_MS = 60_000;

describe('a leader dies or freezes in mid-saga', () => {
  it('one failover goes through a chain of leaders, killed round fence-source, stop-replication and publish, and publishes once', async () => {
    const chain: Chain = [
      { idc: 'c', at: 'before:fence-source' },
      { idc: 'b', at: 'after:fence-source' },
      { idc: 'c', at: 'before:stop-replication' },
      { idc: 'b', at: 'after:stop-replication' },
      { idc: 'c', at: 'before:publish' },
      { idc: 'b', at: 'after:publish' },
      { idc: 'c', at: null },
    ];
    const controllerEnvIn = { c: crashEnv(chain[0]), b: crashEnv(chain[1]) };
    await onStand({ installation: { firstLeader: 'c', controllerEnvIn } }, async (stand) => {
      const { lab, store, trail } = stand;
      await lab.kill({ idc: 'a' });
      const terms = await followChain(stand, chain);

      const saga = await onlySaga(stand);
      expect(await store.waitForOutcome(saga, FOLLOW_MS)).toBe('DONE');
      const journal = await store.journal(saga);
      expect(journal.map((e) => e.term)).toEqual(journal.map((e) => e.term).toSorted((x, y) => x - y));
      expect(new Set(journal.map((e) => e.term)).size).toBeGreaterThanOrEqual(chain.length);
      expect(journal.filter((e) => e.direction === 'undo' || e.event === 'failed')).toEqual([]);
      await expectSwitched(stand, saga);
      // Published by the leader that died right after it; the last one found it and only went forward.
      expect(trail.seen.at(-1)?.pointer.term).toBeLessThan(terms.at(-1) ?? 0);
    });
  });

  it('frozen in its publication past its lease, another acts; thawed, none of its writes arrives', async () => {
    await onStand({ installation: { firstLeader: 'c' } }, async (stand) => {
      const { lab, installation, store, trail } = stand;
      await lab.kill({ idc: 'a' });
      await store.waitForEntry({ step: 'stop-replication', event: 'intent' }, FOLLOW_MS);
      await store.holdPointer(async (publicationWaits) => {
        await publicationWaits(true, FOLLOW_MS);
        await lab.freeze({ process: 'ctl-c' });
        await publicationWaits(false, FOLLOW_MS); // the statement's own deadline: the frozen leader cannot hear of it
      });
      expect(trail.steps).toEqual(['a@1']);
      const { term, holder } = await store.lease();
      expect(holder).toBe('ctl-c');

      const newTerm = await waitForLeader(stand, 'b', term);
      const saga = await onlySaga(stand);
      expect(await store.waitForOutcome(saga, FOLLOW_MS)).toBe('DONE');
      const before = await written(stand);
      await lab.thaw({ process: 'ctl-c' });
      // It has judged again when it names the new leader at an instant after the thaw.
      const thawedAt = Date.now();
      await installation.waitForGroup(
        'the thawed controller follows ctl-b',
        (g) => g.leader?.id === 'ctl-b' && Date.parse(g.evaluatedAt ?? '') > thawedAt + 2_000,
        { seenBy: ['c'], timeoutMs: FOLLOW_MS },
      );
      const after = await written(stand);
      expect({ ...after, audit: [] }).toEqual({ ...before, audit: [] });
      expect(after.audit.slice(before.audit.length).filter((row) => row.term <= term)).toEqual([]);
      expect(installation.controller('c').running).toBe(true);
      await expectSwitched(stand, saga);
      expect(trail.seen.at(-1)?.pointer.term).toBeGreaterThanOrEqual(newTerm);
    });
  });
});

async function onlySaga({ store }: Stand): Promise<string> {
  const [saga, ...others] = await store.sagas();
  expect(others).toEqual([]);
  if (saga === undefined) throw new Error('no saga was opened');
  return saga.id;
}

/** Everything that a leader writes: lease, journal, goals, pointer, audit. */
async function written({ store, trail }: Stand) {
  const [{ term, holder }, sagas, goals, audit] = await Promise.all([
    store.lease(),
    store.sagas(),
    store.goals(),
    store.audit(),
  ]);
  return { term, holder, sagas, goals, audit, pointers: [...trail.steps] };
}

/** One of the two good ends: the pointer moved once, the source is to be fenced, the copy is stopped, the ledger is written once. */
async function expectSwitched(stand: Stand, saga: string): Promise<void> {
  const { store, trail } = stand;
  expect(await trail.stepsWith('b@2')).toEqual(['a@1', 'b@2']);
  expect(trail.seen.at(-1)?.pointer.sagaId).toBe(saga);
  expect(await store.goals()).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ subject: 'cluster', cluster: 'a', state: 'fenced', epoch: 2 }),
      expect.objectContaining({ subject: 'flow', from: 'a', to: 'b', state: 'stopped', epoch: 2 }),
    ]),
  );
  expect(await stand.flowStates('a', 'b')).toEqual(['STOPPED', 'STOPPED']);
  expect(await store.ledger()).toEqual([0, 1, 2].map((partition) => ({ epoch: 2, topic: 'orders', partition })));
  await stand.write('b', 'after the switch');
}

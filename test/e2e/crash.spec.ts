import { afterEach, describe, expect, it } from 'vitest';
import { type LabIdc, waitFor } from '#lab';
import { Stand } from './support/stand.js';

const FOLLOW_MS = 60_000;

describe('the leader dies round fence-source, stop-replication and publish', () => {
  let stand: Stand | null = null;
  afterEach(async () => stand?.close());

  it('one failover goes through a chain of leaders and publishes once', async () => {
    const chain = [
      { idc: 'c', at: 'before:fence-source' },
      { idc: 'b', at: 'after:fence-source' },
      { idc: 'c', at: 'before:stop-replication' },
      { idc: 'b', at: 'after:stop-replication' },
      { idc: 'c', at: 'before:publish' },
      { idc: 'b', at: 'after:publish' },
      { idc: 'c', at: null },
    ] as const;
    const crash = (at: string | null): Record<string, string> => (at === null ? {} : { POINTSMAN_CRASH: at });
    stand = await Stand.set({
      installation: {
        firstLeader: 'c',
        controllerEnvIn: { c: crash(chain[0].at), b: crash(chain[1].at) },
      },
    });
    const { lab, installation, store, trail } = stand;
    const { term: firstTerm } = await store.lease();
    await lab.kill({ idc: 'a' });

    for (const [i, { idc, at }] of chain.entries()) {
      const term = firstTerm + i;
      await waitForLeader(idc, term);
      // The one after it starts only now, so that nobody else can take the lead: it is warm when it is needed.
      const next = chain[i + 1];
      if (i > 0 && next !== undefined) await installation.restartController(next.idc, crash(next.at));
      if (at === null) break;
      const { signal } = await endOf(idc);
      expect(signal, `ctl-${idc} at ${at}`).toBe('SIGKILL');
    }

    const [saga] = await store.sagas();
    if (saga === undefined) throw new Error('no saga was opened');
    expect(await store.waitForOutcome(saga.id, FOLLOW_MS)).toBe('DONE');
    const sagas = await store.sagas();
    expect(sagas.map((s) => s.id)).toEqual([saga.id]);
    const journal = sagas[0]?.journal ?? [];
    expect([...new Set(journal.map((e) => e.term))]).toEqual(chain.map((_, i) => firstTerm + i));
    expect(journal.filter((e) => e.direction === 'undo')).toEqual([]);
    expect(journal.filter((e) => e.step === 'freeze-position' && e.event === 'done').length).toBeGreaterThan(0);

    await trail.stop();
    expect(trail.steps).toEqual(['a@1', 'b@2']);
    expect(trail.seen.at(-1)?.pointer).toMatchObject({ sagaId: saga.id, term: firstTerm + 5 });
    expect(await store.goals()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ subject: 'cluster', cluster: 'a', state: 'fenced', epoch: 2 }),
        expect.objectContaining({ subject: 'flow', from: 'a', to: 'b', state: 'stopped', epoch: 2 }),
      ]),
    );
    expect(await store.ledger()).toEqual([0, 1, 2].map((partition) => ({ epoch: 2, topic: 'orders', partition })));
    await stand.write('b', 'after the switch');

    async function waitForLeader(idc: LabIdc, term: number): Promise<void> {
      await waitFor(
        `ctl-${idc} leads with term ${term}`,
        async () => {
          const lease = await store.lease();
          return lease.holder === `ctl-${idc}` && lease.term === term ? true : undefined;
        },
        { timeoutMs: FOLLOW_MS, pollMs: 20 },
      );
    }

    async function endOf(idc: LabIdc): Promise<{ signal: NodeJS.Signals | null }> {
      const controller = installation.controller(idc);
      return await waitFor(`${controller.name} ends`, () => controller.lastExit, { timeoutMs: FOLLOW_MS, pollMs: 20 });
    }
  });
});

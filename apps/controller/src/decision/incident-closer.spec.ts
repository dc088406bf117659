import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLogger } from '#platform';
import { FakeLeadership } from '../../../../test/fakes/fake-leadership.js';
import { MemoryAuthorityDatabase } from '../../../../test/fakes/memory-authority-database.js';
import type { ControllerConfig } from '../config/compile.js';
import { aSaga } from '../persistence/conformance/builders.js';
import type { Alert, AuthorityTx } from '../persistence/authority-store.port.js';
import { IncidentCloser } from './incident-closer.js';
import { StoreView } from './store-view.js';

const ME = { id: 'ctl-a', advertise: 'ctl-a' };
const WALL_MS = Date.parse('2026-11-27T14:03:00.000Z');
const LEASE = { ttlMs: 10_000, renewDeadlineMs: 7_000, retryMs: 1_000 };
let nowMs: number;
const clock = { monotonicMs: () => nowMs, wallMs: () => WALL_MS };
const logger = createLogger('test', 'silent');

const told = (group: string, type: Alert['type'], more: Partial<Alert> = {}): Alert => ({
  ...{ id: `${group}/${type}`, incident: `${group}-7-failover-1`, type, group, row: 400, reason: 'told before' },
  ...{ blockers: [], term: 1, epoch: 7, at: '2026-11-20T14:03:00.000Z' },
  ...more,
});

/** The leader of a fleet that watches `orders` only, over a store in which more is told of. */
async function leaderAfter(work: (tx: AuthorityTx) => Promise<void>) {
  const database = new MemoryAuthorityDatabase();
  const store = database.connect(ME.id);
  const lease = await store.acquireLease(await store.readLease(), ME);
  if (lease === null) throw new Error('no lease');
  await store.transact(lease.term, ME.id, work);
  const leadership = new FakeLeadership(ME);
  leadership.lead(lease.term);
  const config = { ...ME, idc: 'a', http: ME, policyDigest: 'd', tickMs: 5, lease: LEASE };
  const groups = [{ name: 'orders' }];
  const view = new StoreView(store, { ...config, groups } as unknown as ControllerConfig, clock, logger);
  const nudge = vi.fn<() => void>();
  const closer = new IncidentCloser(store, view, config, leadership, { nudge, direct: () => undefined }, clock);
  views.push(view);
  view.onModuleInit();
  const reading = async (): Promise<void> => {
    const before = view.revision();
    await expect.poll(() => view.revision(), { interval: 5 }).toBeGreaterThan(before + 1);
  };
  await reading();
  return { store, term: lease.term, view, closer, nudge, reading };
}

let views: StoreView[];
beforeEach(() => {
  nowMs = 1_000_000;
  views = [];
});
afterEach(async () => {
  await Promise.all(views.map((view) => view.onApplicationShutdown()));
});

describe('stories of a group that is not configured any more', () => {
  it('are over, say why, and go to whom they were told; those of the others go on', async () => {
    const { store, closer, nudge } = await leaderAfter(async (tx) => {
      await tx.enqueueAlert(told('orders', 'suspected'));
      await tx.enqueueAlert(told('payments', 'suspected'));
      await tx.enqueueAlert(told('payments', 'needs_operator'));
    });
    await closer.closeRemoved();
    await closer.closeRemoved(); // the reading is still the one before
    expect((await store.openIncidents(10)).map((row) => row.group)).toEqual(['orders']);
    const resolved = (await store.pendingAlerts(10)).map((row) => row.alert).filter((a) => a.type === 'resolved');
    expect(resolved).toEqual([
      {
        ...{ id: expect.stringMatching(/^al_/), incident: 'payments-7-failover-1', type: 'resolved' },
        ...{ group: 'payments', row: null, blockers: [], term: 1, epoch: 7, at: '2026-11-27T14:03:00.000Z' },
        of: ['suspected', 'needs_operator'],
        reason: 'group payments is no longer configured: nobody watches what it told of (suspected, needs_operator)',
      },
    ]);
    const events = await store.lastEvents(10, 'payments');
    expect(events.map(({ type, summary }) => `${type} ${summary}`)).toEqual([`alert resolved: ${resolved[0]?.reason}`]);
    expect(nudge).toHaveBeenCalledOnce();
  });

  it('stay open while a saga of the group is: a person must know of it', async () => {
    const { store, term, closer, reading } = await leaderAfter(async (tx) => {
      await tx.enqueueAlert(told('payments', 'acting'));
      await tx.openSaga(aSaga('saga-1', 'payments'));
    });
    await closer.closeRemoved();
    expect(await store.openIncidents(10)).toHaveLength(1);
    await store.transact(term, ME.id, (tx) => tx.closeSaga('saga-1', 'ABORTED', '2026-11-27T14:03:00.000Z'));
    await reading();
    await closer.closeRemoved();
    expect(await store.openIncidents(10)).toEqual([]);
  });

  it('wait while the store is not read: who was not heard of meanwhile may have the group', async () => {
    const { store, view, closer } = await leaderAfter((tx) => tx.enqueueAlert(told('payments', 'suspected')));
    await view.onApplicationShutdown();
    nowMs += 5_001;
    await closer.closeRemoved();
    expect(await store.openIncidents(10)).toHaveLength(1);
    nowMs -= 1;
    await closer.closeRemoved();
    expect(await store.openIncidents(10)).toEqual([]);
  });

  it('wait until all controllers have the same configuration: another may only just have got the group', async () => {
    const { store, closer, reading } = await leaderAfter((tx) => tx.enqueueAlert(told('payments', 'suspected')));
    const other = { id: 'ctl-b', idc: 'b', advertise: 'ctl-b', beats: 1, version: '0.1.0' };
    await store.announceController({ ...other, policyDigest: 'newer' });
    await reading();
    await closer.closeRemoved();
    expect(await store.openIncidents(10)).toHaveLength(1);
    await store.announceController({ ...other, beats: 2, policyDigest: 'd' });
    await reading();
    await closer.closeRemoved();
    expect(await store.openIncidents(10)).toEqual([]);
  });
});

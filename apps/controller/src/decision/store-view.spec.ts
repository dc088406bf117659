import { afterEach, expect, it } from 'vitest';
import { createLogger } from '#platform';
import { MemoryAuthorityDatabase } from '../../../../test/fakes/memory-authority-database.js';
import type { ControllerConfig, GroupConfig } from '../config/compile.js';
import { aSaga } from '../persistence/conformance/builders.js';
import { StoreView } from './store-view.js';

const ME = { id: 'ctl-a', advertise: 'ctl-a' };
const GROUP = { name: 'orders', clusters: [{ name: 'a', idc: 'a' }], mode: 'auto' } as unknown as GroupConfig;
let view: StoreView | null = null;
afterEach(async () => view?.onApplicationShutdown());

it('knows since when no saga is open, whoever asked for the last one and however it ended', async () => {
  let nowMs = 1_000;
  const clock = { monotonicMs: () => nowMs, wallMs: () => 0 };
  const store = new MemoryAuthorityDatabase().connect(ME.id);
  const lease = await store.acquireLease(await store.readLease(), ME);
  if (lease === null) throw new Error('no lease');
  const config = { ...ME, idc: 'a', http: ME, groups: [GROUP], policyDigest: 'd', tickMs: 5, lease: { ttlMs: 10_000 } };
  const seen = new StoreView(store, config as unknown as ControllerConfig, clock, createLogger('test', 'silent'));
  view = seen;
  const age = () => seen.facts(GROUP).noSagaOpenAgeMs;
  expect(age()).toBeNull(); // nothing is known yet
  seen.onModuleInit();
  await expect.poll(age, { interval: 5 }).toBe(0);
  nowMs += 700;
  expect(age()).toBe(700);
  await store.transact(lease.term, ME.id, (tx) => tx.openSaga({ ...aSaga('saga-1', 'orders'), trigger: 'operator' }));
  await expect.poll(age, { interval: 5 }).toBeNull();
  nowMs += 700;
  await store.transact(lease.term, ME.id, (tx) => tx.closeSaga('saga-1', 'ABORTED', '2026-11-27T14:03:00.000Z'));
  await expect.poll(age, { interval: 5 }).toBe(0);
  nowMs += 300;
  expect(age()).toBe(300);
});

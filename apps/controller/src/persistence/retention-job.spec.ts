import { beforeEach, expect, it } from 'vitest';
import { MemoryAuthorityDatabase } from '../../../../test/fakes/memory-authority-database.js';
import { FakeLeadership } from '../../../../test/simulation/fake-leadership.js';
import { VirtualTime } from '../../../../test/simulation/virtual-time.js';
import { verifyAuditChain } from './audit-chain.js';
import { A, AT, aGroup, aSaga, anEvent, lead } from './conformance/builders.js';
import type { MemoryAuthorityStore } from '../../../../test/fakes/memory-authority-store.js';
import { RetentionJob } from './retention-job.js';

const DAY_MS = 86_400_000;
const EVERY_MS = 60_000;
const OPTIONS = { controller: A.id, keepMs: () => 90 * DAY_MS, everyMs: EVERY_MS, pauseMs: 1_000, batch: 2 } as const;

let time: VirtualTime;
let database: MemoryAuthorityDatabase;
let store: MemoryAuthorityStore;
let leadership: FakeLeadership;
let warnings: string[];

beforeEach(() => {
  time = new VirtualTime();
  database = new MemoryAuthorityDatabase();
  store = database.connect(A.id);
  leadership = new FakeLeadership(A.id);
  warnings = [];
});

/** `ages` in days. */
async function leadingWith(...ages: readonly number[]): Promise<RetentionJob> {
  const term = await lead(store, A);
  await store.transact(term, A.id, async (tx) => {
    for (const days of ages) {
      const at = new Date(time.wallMs() - days * DAY_MS).toISOString();
      await tx.appendEvent({ ...anEvent(`${days} d`), at });
    }
  });
  const log = { info: () => undefined, warn: (_: object, message: string) => void warnings.push(message) };
  const job = new RetentionJob({ store, leadership, time, log }, OPTIONS);
  job.begin();
  leadership.won(term);
  return job;
}

const kept = async (): Promise<readonly string[]> => (await store.events(0, 99)).map((e) => e.summary);

it('removes what is older than the limit in batches, each said in the audit, and keeps the rest', async () => {
  const job = await leadingWith(200, 150, 120, 91, 89, 1);
  await time.pass(EVERY_MS + 1);
  expect(await kept()).toEqual(['120 d', '91 d', '89 d', '1 d']);
  await time.pass(3_000);
  expect(await kept()).toEqual(['89 d', '1 d']);
  const audit = await store.audit(0, 99);
  expect(audit.map((row) => [row.action, row.actor, row.detail])).toEqual(
    [1, 2].map(() => ['retention', 'controller:ctl-a', { events: 2, alerts: 0, incidents: 0, answers: 0 }]),
  );
  expect(verifyAuditChain(audit)).toEqual({ ok: true });
  await job.end();
});

it('waits while a saga is open', async () => {
  const job = await leadingWith(100, 1);
  const term = leadership.current().term;
  await store.transact(term, A.id, async (tx) => {
    await tx.saveGroup(aGroup());
    await tx.openSaga(aSaga('saga-1'));
  });
  await time.pass(EVERY_MS * 3);
  expect(await kept()).toEqual(['100 d', '1 d']);
  await store.transact(term, A.id, (tx) => tx.closeSaga('saga-1', 'DONE', AT));
  await time.pass(EVERY_MS);
  expect(await kept()).toEqual(['1 d']);
  await job.end();
});

it('does nothing on a standby, ends with the leadership, and comes back after a failure', async () => {
  const job = await leadingWith(100, 1);
  database.failNext('begin');
  await time.pass(EVERY_MS + 1);
  expect([await kept(), warnings.length]).toEqual([['100 d', '1 d'], 1]);
  leadership.lost();
  await time.pass(EVERY_MS * 3);
  expect(await kept()).toEqual(['100 d', '1 d']);
  leadership.won(await lead(store, A));
  await time.pass(EVERY_MS + 1);
  expect(await kept()).toEqual(['1 d']);
  await job.end();
});

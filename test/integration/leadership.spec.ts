import { fileURLToPath } from 'node:url';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startLab, waitFor, type Lab, type LabProcess } from '#lab';
import { LeadershipModule } from '../../apps/controller/src/leadership/leadership.module.js';
import { LEADERSHIP, type Leadership } from '../../apps/controller/src/leadership/leadership.port.js';
import { verifyAuditChain } from '../../apps/controller/src/persistence/audit-chain.js';
import type { AuthorityStore } from '../../apps/controller/src/persistence/authority-store.port.js';
import { createAuthorityStore } from '../../apps/controller/src/persistence/create-authority-store.js';
import { PersistenceModule } from '../../apps/controller/src/persistence/persistence.module.js';

const ROUNDS = 4;
const WAIT_MS = 20_000;

let lab: Lab;
let store: AuthorityStore;
let controllers: readonly LabProcess[];

beforeAll(async () => {
  lab = await startLab({ clusters: {}, connect: false });
  const url = await lab.postgresUrl('c');
  store = await createAuthorityStore({ url });
  const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  controllers = (['a', 'b'] as const).map((idc) =>
    lab.spawn({
      idc,
      name: `ctl-${idc}`,
      command: process.execPath,
      args: [file('lease-writer/run.mjs'), file('lease-writer/main.ts')],
      env: { STORE_URL: url, HOLDER: `ctl-${idc}` },
      cwd: file('../..'),
    }),
  );
});
afterAll(async () => {
  await store.close();
  await lab.close();
});

/** A leader frozen past its lease, again and again: whatever it tries after the thaw, the store takes none of it (I1, I2). */
it('lets no write of a frozen and thawed leader in', async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const leader = await waitFor('somebody leads and writes', leaderByStore, { timeoutMs: WAIT_MS });
    const heir = controllers.find((c) => c !== leader)!;
    const { term } = await store.readLease();
    await leader.waitForLine(new RegExp(`^wrote ${term}$`), WAIT_MS);

    await lab.freeze({ process: leader.name });
    await heir.waitForLine(new RegExp(`^wrote ${term + 1}$`), WAIT_MS);
    const frozenAt = leader.lines.length;
    await lab.thaw({ process: leader.name });

    await leader.waitForLine(new RegExp(`^refused ${term}$`), WAIT_MS, frozenAt);
    await leader.waitForLine(/^stands/, WAIT_MS, frozenAt);
    // Of a write that was committed before the freeze the answer may be read after it; the order of all terms is looked at below.
    const taken = leader.lines.slice(frozenAt).filter((line) => line === `wrote ${term}`);
    expect(taken.length).toBeLessThanOrEqual(1);
    const written = (await store.lastEvents(1))[0]!.seq;
    await waitFor('the new leader goes on', async () => (await store.events(written + 10, 1))[0], {
      timeoutMs: WAIT_MS,
    });
  }

  const events = await store.events(0, 100_000);
  const terms = events.map((e) => e.term);
  expect(terms).toEqual(terms.toSorted((a, b) => a - b)); // in commit order: no older term after a newer one
  expect(new Set(terms).size).toBeGreaterThan(ROUNDS);
  for (const term of new Set(terms)) {
    expect(new Set(events.filter((e) => e.term === term).map((e) => e.summary)).size).toBe(1);
  }
  expect(verifyAuditChain(await store.audit(0, 100_000))).toEqual({ ok: true });
});

/** The modules as the controller composes them: leads after the start, and a planned stop frees the lease. */
it('leads as a Nest application and gives the lease up when it closes', async () => {
  const url = (await lab.postgresUrl('c')).replace(/[^/]+$/, 'postgres');
  const timings = { ttlMs: 10_000, renewDeadlineMs: 6_000, retryMs: 2_000 };
  const app = await Test.createTestingModule({
    imports: [
      PersistenceModule.forRoot({ url }),
      LeadershipModule.forRoot({ me: { id: 'ctl-n', advertise: 'http://n' }, timings }),
    ],
  }).compile();
  await app.init();
  const leadership = app.get<Leadership>(LEADERSHIP);
  await waitFor('it leads', () => leadership.current().leading || undefined, { timeoutMs: WAIT_MS });
  const { signal } = leadership.current();
  await app.close();
  expect(signal?.aborted).toBe(true);
  const look = await createAuthorityStore({ url });
  expect(await look.readLease()).toMatchObject({ term: 1, holder: null, advertise: null });
  await look.close();
});

async function leaderByStore(): Promise<LabProcess | undefined> {
  const { holder, term } = await store.readLease();
  return controllers.find((c) => c.name === holder && c.lines.includes(`leads ${term}`));
}

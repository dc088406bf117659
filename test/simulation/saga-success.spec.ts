import { beforeEach, describe, expect, it } from 'vitest';
import type { AuthorityStore, LedgerRow } from '../../apps/controller/src/persistence/authority-store.port.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { bindTo } from './gated.js';
import { Simulation } from './simulation.js';
import { VirtualTime } from './virtual-time.js';

describe('a failover whose leader lives', () => {
  let time: VirtualTime;
  let sim: Simulation;

  beforeEach(async () => {
    time = new VirtualTime();
    const database = new MemoryAuthorityDatabase();
    sim = new Simulation({ time, openStore: (client) => database.connect(client) });
    await sim.createGroup();
  });

  it('moves to b with every step journaled, the ledger written and the goals kept', async () => {
    const leader = sim.controller('ctl-b');
    await sim.acquire(leader);
    sim.world.killIdc('a');
    await sim.tick(leader);
    await time.runUntil(() => leader.runner.open('orders') === null, 120_000);

    const [saga] = await sim.sagas();
    expect(saga).toMatchObject({ outcome: 'DONE', source: 'a', target: 'b' });
    expect(saga?.journal.filter((e) => e.event === 'done').map((e) => e.step)).toEqual([
      ...['confirm', 'open', 'check-publishable', 'announce', 'fence-source', 'stop-replication', 'freeze-position'],
      ...['set-offsets', 'check-target', 'unfence-target', 'publish', 'verify-publish', 'remember', 'close'],
    ]);
    expect(sim.pointer()).toMatchObject({ activeCluster: 'b', epoch: 2, sagaId: saga?.id });
  });

  it('reads the ledger of its own switch only, however many there were', async () => {
    const founder = sim.controller('ctl-a');
    const term = await sim.acquire(founder);
    const old: LedgerRow = {
      ...{ group: 'orders', epoch: 1, from: 'a', to: 'b', topic: 'orders', partition: 0, s: 7 },
      ...{ n: null, sourceEnd: null, sourceEndAgeMs: null },
    };
    await founder.store.transact(term, founder.id, (tx) => tx.saveLedger([old]));
    founder.leadership.lost();
    const asked: unknown[][] = [];
    const leader = sim.controller('ctl-b', { store: (store) => recordingLedger(store, asked) });
    await sim.acquire(leader);
    sim.world.killIdc('a');
    await sim.tick(leader);
    await time.runUntil(() => leader.runner.open('orders') === null, 120_000);

    expect((await sim.sagas())[0]).toMatchObject({ outcome: 'DONE', epoch: 2 });
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter(([group, epoch]) => group !== 'orders' || epoch !== 2)).toEqual([]);
  });
});

const recordingLedger = (store: AuthorityStore, asked: unknown[][]): AuthorityStore =>
  new Proxy(store, {
    get: (target, key) =>
      key === 'ledger'
        ? (...args: Parameters<AuthorityStore['ledger']>) => {
            asked.push(args);
            return target.ledger(...args);
          }
        : bindTo(target, key),
  });

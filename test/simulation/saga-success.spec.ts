import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
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
});

import { describe, expect, it } from 'vitest';
import { compilePolicy, defaultPolicy, selfFenceDueMs } from '#failover';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { COMMIT_DEATHS, crashMatrix, EFFECT_DEATHS, type MatrixHost } from './crash-matrix.js';
import { expectGoodEnd } from './good-end.js';
import { Simulation, type SimController } from './simulation.js';
import { VirtualTime } from './virtual-time.js';

const policy = compilePolicy({ ...defaultPolicy, fencing: 'strict' });
const DUE_MS = selfFenceDueMs(policy.selfFenceAfterMs, 1_000);

async function inMemory(): Promise<MatrixHost> {
  const time = new VirtualTime();
  const database = new MemoryAuthorityDatabase();
  return {
    ...{ time, policy },
    openStore: (client) => database.connect(client),
    runUntil: (done) => time.runUntil(done, 300_000),
    close: async () => undefined,
  };
}

const WORLDS = ['IDC a is cut off', 'the brokers of a refuse'] as const;

describe('strict: a leader that dies around an effect', () => {
  crashMatrix(inMemory, EFFECT_DEATHS, WORLDS);
});
describe('strict: a leader that dies around a commit', () => {
  crashMatrix(inMemory, COMMIT_DEATHS, WORLDS);
});

describe('strict: an IDC behind a cut', () => {
  const begin = async (): Promise<{ sim: Simulation; leader: SimController; time: VirtualTime }> => {
    const time = new VirtualTime();
    const database = new MemoryAuthorityDatabase();
    const sim = new Simulation({ time, policy, openStore: (client) => database.connect(client) });
    await sim.createGroup();
    const leader = sim.controller('ctl-1');
    await sim.acquire(leader);
    return { sim, leader, time };
  };
  const ended = (c: SimController) => (): boolean => c.runner.open('orders') === null;

  it('is left only after the deadline of its self-fence, whatever producers inside it do', async () => {
    const { sim, leader, time } = await begin();
    sim.world.hearToken('a');
    sim.world.cutIdc = 'a';
    const cutAtMs = time.monotonicMs();
    await sim.tick(leader);
    await time.pass(10_000);
    expect(sim.world.acceptsInside('a')).toBe(true);
    await time.runUntil(ended(leader));
    expect(time.monotonicMs() - cutAtMs).toBeGreaterThanOrEqual(DUE_MS);
    const sagas = await sim.sagas();
    expect(sagas.map((s) => s.outcome)).toEqual(['DONE']);
    expect(sagas[0]?.journal.find((e) => e.step === 'fence-source' && e.event === 'done')?.evidence).toMatchObject({
      kind: 'self-fence',
      confirmed: true,
    });
    expectGoodEnd(sim, sagas);
    await sim.close();
  });

  it('is waited for by a new leader from its own take-over on', async () => {
    const { sim, leader, time } = await begin();
    sim.world.hearToken('a');
    sim.world.cutIdc = 'a';
    await sim.tick(leader);
    await time.pass(DUE_MS - 2_000);
    leader.leadership.lost();
    const second = sim.controller('ctl-2');
    await sim.acquire(second);
    const tookOverAtMs = time.monotonicMs();
    await second.runner.takenOver();
    await time.runUntil(ended(second));
    expect(time.monotonicMs() - tookOverAtMs).toBeGreaterThanOrEqual(DUE_MS);
    expectGoodEnd(sim, await sim.sagas());
    await sim.close();
  });

  it('is never left when its agent was not armed: that waits for a person', async () => {
    const { sim, leader, time } = await begin();
    sim.world.cutIdc = 'a';
    await sim.tick(leader);
    await time.runUntil(ended(leader));
    expect((await sim.sagas()).map((s) => s.outcome)).toEqual(['FAILED']);
    expect(sim.pointer().activeCluster).toBe('a');
    expectGoodEnd(sim, await sim.sagas());
    await sim.close();
  });

  it('that answers again before publish stays the active one, and is opened', async () => {
    const { sim, leader, time } = await begin();
    sim.world.hearToken('a');
    sim.world.cutIdc = 'a';
    sim.on('after', 'fence-source', () => {
      sim.world.acceptsInside('a'); // by now it has closed itself
      sim.world.revive('a');
    });
    await sim.tick(leader);
    await time.runUntil(ended(leader));
    expect((await sim.sagas()).map((s) => s.outcome)).toEqual(['RECOVERED']);
    expect(sim.world.acceptsWrites('a')).toBe(true);
    expectGoodEnd(sim, await sim.sagas());
    await sim.close();
  });
});

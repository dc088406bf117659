import { beforeEach, describe, expect, it } from 'vitest';
import {
  type AuthorityStore,
  StoreUnavailableError,
} from '../../apps/controller/src/persistence/authority-store.port.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { Simulation, type SimController } from './simulation.js';
import { VirtualTime } from './virtual-time.js';

let time: VirtualTime;
let sim: Simulation;
let leader: SimController;

beforeEach(async () => {
  time = new VirtualTime();
  const database = new MemoryAuthorityDatabase();
  sim = new Simulation({ time, openStore: (client) => database.connect(client) });
  await sim.createGroup();
  leader = await inOffice('ctl-b');
});

const LOOP = [
  { from: 'a', to: 'b' },
  { from: 'b', to: 'a' },
];

async function inOffice(id: string, more: Parameters<Simulation['controller']>[1] = {}): Promise<SimController> {
  const controller = sim.controller(id, more);
  await sim.acquire(controller);
  await controller.runner.takenOver();
  return controller;
}

/** What the matrix says once it has seen both run for long enough. */
async function seeLoop(by: SimController): Promise<void> {
  const { snapshot, decision } = by.decisions.evaluate();
  await by.runner.stopLoop(snapshot, { ...decision, flowLoop: LOOP });
}

const tick = (by: SimController): Promise<void> => by.runner.dropReached('orders');
const flows = (): object => Object.fromEntries(sim.world.flows);
const held = async (): Promise<readonly string[]> =>
  (await sim.observer.goals()).map((g) => (g.subject === 'flow' ? `${g.from}->${g.to} ${g.state}` : g.cluster));

async function expectResumable(): Promise<void> {
  expect(await held()).toEqual([]);
  sim.world.flows.set('a->b', 'running');
  sim.world.applyGoals();
  expect(sim.world.flows.get('a->b')).toBe('running');
}

/** A store that fails in the n-th transaction: before anything was written, or after all of it was and nobody was told. */
const failingIn =
  (n: number, when: 'before' | 'after') =>
  (store: AuthorityStore): AuthorityStore => {
    let count = 0;
    const transact: AuthorityStore['transact'] = async (term, holder, work) => {
      count += 1;
      const fails = count === n;
      const lost = new StoreUnavailableError('write', { cause: 'connection reset', outcomeUnknown: when === 'after' });
      if (fails && when === 'before') throw lost;
      const result = await store.transact(term, holder, work);
      if (fails) throw lost;
      return result;
    };
    return new Proxy(store, {
      get(target, key) {
        if (key === 'transact') return transact;
        const member: unknown = Reflect.get(target, key);
        return typeof member === 'function' ? (member as (...args: unknown[]) => unknown).bind(target) : member;
      },
    });
  };

describe('both directions of a flow run (I37)', () => {
  beforeEach(() => void sim.world.flows.set('b->a', 'running'));

  it('are both stopped with a new epoch; once they stand nothing fights the person who resumes one', async () => {
    await seeLoop(leader);
    expect(flows()).toEqual({ 'a->b': 'stopped', 'b->a': 'stopped' });
    expect((await sim.observer.groups())[0]).toMatchObject({ epoch: 1, reservedEpoch: 2 });
    await tick(leader);
    await expectResumable();
    const said = (await sim.observer.lastEvents(9, 'orders')).map((e) => e.summary);
    expect(said.at(-1)).toContain('reached, and not held any longer: orders/flow/a->b stopped');
    await tick(leader);
    expect(await sim.observer.lastEvents(9, 'orders')).toHaveLength(said.length);
  });

  it('are let go by the next leader, when the one that stopped them died before', async () => {
    sim.world.workers.set('b', 'silent');
    await seeLoop(leader);
    leader.freeze();
    const heir = await inOffice('ctl-c');
    await tick(heir);
    expect(await held()).toEqual(['a->b stopped']); // its worker has not said so yet; the other one has
    await time.pass(120_000);
    sim.world.reviveWorker('b');
    await tick(heir);
    await expectResumable();
  });

  it.each(['before', 'after'] as const)(
    'are let go though the store failed %s the goals were dropped',
    async (when) => {
      const next = await inOffice('ctl-c', { store: failingIn(2, when) });
      await seeLoop(next);
      await expect(tick(next)).rejects.toBeInstanceOf(StoreUnavailableError);
      await tick(next);
      await expectResumable();
    },
  );

  it('are stopped though the answer to the saved goals was lost', async () => {
    const next = await inOffice('ctl-c', { store: failingIn(1, 'after') });
    await expect(seeLoop(next)).rejects.toBeInstanceOf(StoreUnavailableError);
    expect(flows()).toEqual({ 'a->b': 'stopped', 'b->a': 'stopped' });
    await tick(next);
    await expectResumable();
  });

  it('are left to an open saga, and goals that a saga left are neither replaced nor dropped', async () => {
    sim.world.killIdc('a');
    await sim.tick(leader);
    await time.runUntil(() => leader.runner.open('orders') === null, 300_000);
    expect((await sim.sagas())[0]?.outcome).toBe('DONE');
    await sim.refresh();
    const before = await sim.observer.goals();
    await seeLoop(leader);
    await tick(leader);
    expect(await sim.observer.goals()).toEqual(before);
  });

  it('are the business of a saga that began meanwhile: what it put in their place stays', async () => {
    await seeLoop(leader);
    const [goal] = await sim.observer.goals();
    if (goal === undefined) throw new Error('no goal was set');
    await leader.store.transact(leader.leadership.term, leader.id, async (tx) => {
      const { until: _until, ...lasting } = goal;
      await tx.saveGoal({ ...lasting, epoch: goal.epoch + 1 });
    });
    await tick(leader);
    expect(await held()).toEqual(['a->b stopped']);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { nextSchedule, SCHEDULE_LATE_MS, type Decision, type SagaRecord, type ScheduledSwitch } from '#failover';
import { ScheduleKeeper } from '../../apps/controller/src/decision/schedule-keeper.js';
import { requestOf } from '../../apps/controller/src/saga/saga-request.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { expectGoodEnd } from './good-end.js';
import { Simulation, type SimController } from './simulation.js';
import { VirtualTime } from './virtual-time.js';

const IN_MS = 600_000;

let time: VirtualTime;
let sim: Simulation;
let leader: SimController;

beforeEach(async () => {
  time = new VirtualTime();
  const database = new MemoryAuthorityDatabase();
  sim = new Simulation({ time, openStore: (client) => database.connect(client) });
  sim.world.copies = true;
  await sim.createGroup();
  leader = await takeOver('ctl-b');
  const request = { by: 'operator:ann', reason: 'broker upgrade', acceptUnfencedSource: false };
  const scheduled: ScheduledSwitch = {
    ...{ id: 's-1', act: 'switchover', target: 'b', epoch: 1, askedAt: at(0), request },
    at: at(IN_MS),
  };
  await change({ scheduled });
});

const at = (ms: number): string => new Date(time.wallMs() + ms).toISOString();

async function takeOver(id: string): Promise<SimController> {
  const controller = sim.controller(id);
  await sim.acquire(controller);
  await controller.runner.takenOver();
  return controller;
}

async function change(over: Partial<ReturnType<Simulation['groupRow']>>): Promise<void> {
  await sim.refresh();
  const { store, leadership, id } = leader;
  await store.transact(leadership.term, id, (tx) => tx.saveGroup({ ...sim.groupRow(), ...over }));
  await sim.refresh();
}

/** One tick of the leader, as far as schedules go. */
async function tick(gate: Decision['gate'] = []): Promise<string | null> {
  await sim.refresh();
  const { snapshot, decision } = leader.decisions.evaluate();
  const step = nextSchedule(snapshot);
  const clock = { monotonicMs: () => time.monotonicMs(), wallMs: () => time.wallMs() };
  const alerting = { nudge: () => undefined, direct: () => undefined };
  const keeper = new ScheduleKeeper(leader.store, leader.leadership, leader.runner, alerting, clock);
  if (step !== null) await keeper.carryOut(step, { snapshot, decision: { ...decision, gate } });
  await sim.refresh();
  return step?.do ?? null;
}

const pass = (ms: number): Promise<void> => time.pass(ms);

async function end(): Promise<SagaRecord> {
  await time.runUntil(() => leader.runner.open('orders') === null, 900_000);
  const [saga] = await sim.sagas();
  if (saga === undefined) throw new Error('no saga');
  return saga;
}

const alerts = async () => (await sim.observer.pendingAlerts(10)).map((row) => row.alert);

describe('a switchover at a time', () => {
  it('waits for its time, then begins as the order of the person who asked, once', async () => {
    await pass(IN_MS - 1);
    expect(await tick()).toBeNull();
    await pass(1);
    expect(await tick()).toBe('carry-out');
    expect(sim.groupRow().scheduled).toBeNull();
    expect(await tick()).toBeNull();
    const saga = await end();
    expect(saga).toMatchObject({ kind: 'switchover', trigger: 'operator', outcome: 'DONE' });
    expect(requestOf(saga)).toMatchObject({ by: 'operator:ann', reason: 'broker upgrade' });
    expectGoodEnd(sim, [saga], { oldSideOpen: false });
    expect((await sim.observer.audit(0, 100)).map((row) => row.action)).toContain('scheduled switchover begun');
  });

  it('survives its leader: the next one carries it out', async () => {
    leader.leadership.lost();
    leader = await takeOver('ctl-c');
    await pass(IN_MS);
    expect(await tick()).toBe('carry-out');
    expect((await end()).outcome).toBe('DONE');
  });

  it('is judged again at its time: refused, it moves nothing, and all reasons are told', async () => {
    sim.world.closable = false;
    await pass(IN_MS);
    expect(await tick()).toBe('carry-out');
    expect(await sim.sagas()).toEqual([]);
    expect(sim.groupRow().scheduled).toBeNull();
    const [alert] = await alerts();
    expect(alert).toMatchObject({ type: 'needs_operator', group: 'orders' });
    expect(alert?.reason).toContain('was not begun: it was refused at its time · NO_FENCE_FOR_THE_WAY_BACK');
    expect(alert?.blockers.map((b) => b.name)).toContain('NO_FENCE_FOR_THE_WAY_BACK');
    expect(await alerts()).toHaveLength(1);
  });

  it('a pause that somebody set since holds it up', async () => {
    await pass(IN_MS);
    await tick(['PAUSED']);
    expect(await sim.sagas()).toEqual([]);
    expect((await alerts())[0]?.blockers).toMatchObject([{ name: 'PAUSED' }]);
  });

  it('taken back by a person between the look and the act, it does not begin', async () => {
    await pass(IN_MS);
    const { snapshot, decision } = leader.decisions.evaluate();
    await change({ scheduled: null });
    const clock = { monotonicMs: () => time.monotonicMs(), wallMs: () => time.wallMs() };
    const alerting = { nudge: () => undefined, direct: () => undefined };
    const keeper = new ScheduleKeeper(leader.store, leader.leadership, leader.runner, alerting, clock);
    await keeper.carryOut({ do: 'carry-out', page: true, reason: 'it is due' }, { snapshot, decision });
    expect(await sim.sagas()).toEqual([]);
    expect(await alerts()).toEqual([]);
  });

  it('nobody led at its time: it is not begun later, and somebody is told', async () => {
    await pass(IN_MS + SCHEDULE_LATE_MS + 1);
    expect(await tick()).toBe('drop');
    expect(await sim.sagas()).toEqual([]);
    expect((await alerts())[0]?.reason).toContain('its time passed while no controller could carry it out');
  });

  it('the group moved since: it is dropped without a page', async () => {
    await change({ epoch: 2, reservedEpoch: 2 });
    expect(await tick()).toBe('drop');
    expect(sim.groupRow().scheduled).toBeNull();
    expect(await alerts()).toEqual([]);
  });
});

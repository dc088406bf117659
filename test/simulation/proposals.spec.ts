import { beforeEach, describe, expect, it } from 'vitest';
import { nextProposal, type SagaRecord } from '#failover';
import { ProposalKeeper } from '../../apps/controller/src/decision/proposal-keeper.js';
import type { GroupConfig } from '../../apps/controller/src/config/compile.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { expectGoodEnd } from './good-end.js';
import { GROUP, Simulation, type SimController } from './simulation.js';
import { VirtualTime } from './virtual-time.js';

const CONFIG: GroupConfig = { ...GROUP, mode: 'approve', publishTo: ['main'], preSwitchover: [] };

let time: VirtualTime;
let sim: Simulation;
let leader: SimController;

beforeEach(async () => {
  time = new VirtualTime();
  const database = new MemoryAuthorityDatabase();
  sim = new Simulation({ time, openStore: (client) => database.connect(client) });
  await sim.createGroup();
  leader = await takeOver('ctl-b');
  await change({ mode: 'approve' });
});

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

/** One tick of the leader, as far as proposals go. */
async function tick(): Promise<string | null> {
  await sim.refresh();
  const { store, leadership, decisions } = leader;
  const seen = decisions.evaluate();
  const step = nextProposal(seen.snapshot, seen.decision);
  const clock = { monotonicMs: () => time.monotonicMs(), wallMs: () => time.wallMs() };
  if (step !== null) await new ProposalKeeper(store, leadership, clock).carryOut(CONFIG, step, seen);
  await sim.refresh();
  return step?.do ?? null;
}

/** The last approval that is needed, as the API asks for it. */
async function approve() {
  await sim.refresh();
  const approval = { proposal: null, identity: 'token:ann', persons: ['operator:ann'] };
  const request = { by: 'operator:ann', reason: 'INC-1', acceptUnfencedSource: false, approval };
  return await leader.runner.request(
    { kind: 'failover', group: 'orders', target: 'b', request },
    async () => undefined,
  );
}

async function end(): Promise<SagaRecord> {
  await time.runUntil(() => leader.runner.open('orders') === null, 900_000);
  const [saga] = await sim.sagas();
  if (saga === undefined) throw new Error('no saga');
  return saga;
}

describe('mode approve', () => {
  it('a death is proposed, moves nothing, and moves when a person says yes', async () => {
    sim.world.killIdc('a');
    await sim.tick(leader);
    expect(await tick()).toBe('open');
    expect(await tick()).toBeNull();
    expect(await sim.sagas()).toEqual([]);
    expect(sim.groupRow().proposal).toMatchObject({ state: 'open', source: 'a', target: 'b', needed: 1, row: 400 });
    expect(sim.groupRow().proposal?.seen).toMatchObject({ loss: { knownRecords: 7 } });
    expect((await approve())?.rehearsal.refusals).toEqual([]);
    const saga = await end();
    expect(saga).toMatchObject({ kind: 'failover', trigger: 'operator', outcome: 'DONE' });
    expectGoodEnd(sim, [saga]);
    expect(await tick()).toBe('withdraw'); // by hand here: the API closes it in the saga's own transaction
    expect(sim.groupRow()).toMatchObject({ active: 'b', lastPublishedAutoAt: null });
  });

  it('outlives its leader: the next one finds it, and its approval counts', async () => {
    sim.world.killIdc('a');
    expect(await tick()).toBe('open');
    const { id } = sim.groupRow().proposal ?? { id: '' };
    leader.leadership.lost();
    leader = await takeOver('ctl-c');
    expect(await tick()).toBeNull();
    expect(sim.groupRow().proposal?.id).toBe(id);
    await approve();
    expect((await end()).outcome).toBe('DONE');
  });

  it('a source that answers again is not left: the approval is refused and the proposal withdrawn', async () => {
    sim.world.killIdc('a');
    expect(await tick()).toBe('open');
    sim.world.revive('a');
    expect((await approve())?.rehearsal.refusals.map((r) => r.name)).toEqual(['NOT_CONFIRMED']);
    expect(await tick()).toBe('withdraw');
    expect(sim.groupRow().proposal).toMatchObject({ state: 'withdrawn', closed: { reason: 'the condition is over' } });
    expect(await tick()).toBe('forget');
    expect(await sim.sagas()).toEqual([]);
  });

  it('nobody decides: it expires, and is written down as expired', async () => {
    sim.world.killIdc('a');
    expect(await tick()).toBe('open');
    await change({ proposal: { ...proposalNow(), expiresAt: '2000-01-01T00:00:00.000Z' } });
    expect((await approve())?.rehearsal.refusals.map((r) => r.name)).toEqual(['PROPOSAL_EXPIRED']);
    expect(await tick()).toBe('expire');
    expect(sim.groupRow().proposal).toMatchObject({ state: 'expired', closed: { by: 'pointsman' } });
    const audit = await sim.observer.audit(0, 100);
    expect(audit.map((row) => row.action)).toEqual(expect.arrayContaining(['proposed', 'proposal expired']));
  });

  it('a person who rejects between the look and the write wins', async () => {
    sim.world.killIdc('a');
    expect(await tick()).toBe('open');
    const seen = leader.decisions.evaluate();
    const rejected = { at: '2026-11-20T14:02:31.000Z', by: 'operator:ann', reason: 'no', saga: null };
    await change({ proposal: { ...proposalNow(), state: 'rejected', closed: rejected } });
    const clock = { monotonicMs: () => time.monotonicMs(), wallMs: () => time.wallMs() };
    const keeper = new ProposalKeeper(leader.store, leader.leadership, clock);
    await keeper.carryOut(CONFIG, { do: 'expire', reason: 'late' }, seen);
    await sim.refresh();
    expect(sim.groupRow().proposal?.state).toBe('rejected');
  });

  it('row 510: a degraded source that answers is left all the way, while its condition holds', async () => {
    sim.world.verdictOf.set('a', 'DEGRADED');
    expect(await tick()).toBe('open');
    expect(sim.groupRow().proposal).toMatchObject({ row: 510, condition: 'degraded' });
    await approve();
    const saga = await end();
    expect(saga.outcome).toBe('DONE');
    expectGoodEnd(sim, [saga]);
  });

  it('row 510: a source that is well again before publish is not left', async () => {
    sim.world.verdictOf.set('a', 'DEGRADED');
    await tick();
    sim.on('before', 'check-target', () => sim.world.verdictOf.delete('a'));
    await approve();
    const saga = await end();
    expect(saga.outcome).toBe('RECOVERED');
    expectGoodEnd(sim, [saga]);
  });
});

function proposalNow(): NonNullable<ReturnType<Simulation['groupRow']>['proposal']> {
  const { proposal } = sim.groupRow();
  if (proposal === null) throw new Error('nothing is proposed');
  return proposal;
}

import { createHash, randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SagaKind } from '#failover';
import { DECISIONS } from '../../apps/controller/src/decision/decision.port.js';
import { LEADERSHIP } from '../../apps/controller/src/leadership/leadership.port.js';
import { SAGA_DRIVER } from '../../apps/controller/src/saga/saga.port.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { afterFailover, newestOf, settled, type Stage } from '../simulation/old-side-stage.js';
import { Simulation } from '../simulation/simulation.js';
import { VirtualTime } from '../simulation/virtual-time.js';
import { ApiApp } from './api-app.js';

/**
 * The HTTP API over the real runner of sagas, with every port behind it in memory, so that what a dry run leaves behind can be
 * looked for everywhere. Time stands still between the requests: all of them see the same snapshot.
 */
let stage: Stage;
let api: ApiApp;
afterEach(async () => {
  await api.close();
  await stage.sim.close();
});

/** a is active and copied to b; nothing has happened yet. */
async function steady(): Promise<Stage> {
  const time = new VirtualTime();
  const database = new MemoryAuthorityDatabase();
  const sim = new Simulation({ time, openStore: (client) => database.connect(client) });
  sim.world.copies = true;
  await sim.createGroup();
  const leader = sim.controller('ctl-b');
  await sim.acquire(leader);
  await leader.runner.takenOver();
  return { time, database, sim, leader };
}

/** a is dead with its data centre; the matrix has done nothing about it. */
async function dead(): Promise<Stage> {
  const made = await steady();
  made.sim.world.killIdc('a');
  return made;
}

/** As a switch has left it: b is active, and a its standby. */
async function afterSwitchover(): Promise<Stage> {
  const made = await steady();
  await made.sim.request(made.leader);
  await made.time.runUntil(() => settled(made.leader), 900_000);
  await made.sim.refresh();
  return made;
}

async function set(arrange: () => Promise<Stage>): Promise<void> {
  stage = await arrange();
  const { leadership, decisions, runner } = stage.leader;
  const real = new Map<symbol, unknown>([
    [LEADERSHIP, leadership],
    [DECISIONS, decisions],
    [SAGA_DRIVER, runner],
  ]);
  api = await ApiApp.start('ctl-b', stage.database, {}, undefined, real);
}

const post = (act: string, body: object, key: string) => api.act(act, body, { key, epoch: stage.sim.groupRow().epoch });

const mapsToo = (_key: string, value: unknown): unknown => (value instanceof Map ? [...value] : value);

/** All that an act could leave behind, whichever port it went through: place → its content, by its digest. */
function everything(): Readonly<Record<string, string>> {
  const { sim, database } = stage;
  const { commands, goals, tokens, history, highestTerm } = sim.world;
  const places = {
    ...database.tables,
    ...{ commands, goalsOfAgents: goals, tokensOfAgents: tokens, effects: history, highestTerm },
    ...{ publications: sim.published, center: sim.center.get('orders'), otherCalls: sim.calls },
  };
  const digest = (place: unknown): string =>
    createHash('sha256').update(JSON.stringify(place, mapsToo)).digest('base64url');
  return Object.fromEntries(Object.entries(places).map(([name, place]) => [name, digest(place)]));
}

const WHY = { reason: 'broker upgrade', by: 'ann' };
/** `spoil` makes the world refuse it, for `reason`. */
type Case = Readonly<{
  act: SagaKind;
  body: object;
  arrange: () => Promise<Stage>;
  spoil?: (world: Simulation['world']) => void;
  reason?: string;
}>;
const noFence = (world: Simulation['world']): void => {
  world.closable = false; // none that lets MirrorMaker write
};
const CASES: readonly Case[] = [
  { act: 'switchover', body: { ...WHY, target: 'b' }, arrange: steady },
  { act: 'failback', body: WHY, arrange: afterSwitchover },
  { act: 'rejoin', body: { ...WHY, choice: 'export', destination: 'topic' }, arrange: afterFailover },
  {
    ...{ act: 'failover', body: { ...WHY, target: 'b', acceptLoss: { maxRecords: 100 } }, arrange: dead },
    ...{ spoil: (world) => world.revive('a'), reason: 'SOURCE_ANSWERS' },
  },
];

describe.each(CASES)('$act', ({ act, body, arrange, spoil = noFence, reason = 'NO_FENCE_FOR_THE_WAY_BACK' }) => {
  it('two dry runs and the real run on the same snapshot agree; the dry runs write nothing at any port', async () => {
    await set(arrange);
    const key = randomUUID(); // the same for all: a dry run does not use it up
    const before = everything();
    const first = await post(act, { ...body, dryRun: true }, key).expect(202);
    const second = await post(act, { ...body, dryRun: true }, key).expect(202);
    expect(second.body).toEqual(first.body);
    expect(first.body).toMatchObject({ action: act, dryRun: true, changed: false, saga: null });
    expect(everything()).toEqual(before);

    const real = await post(act, body, key).expect(202);
    expect(real.body).toEqual({ ...first.body, dryRun: false, changed: true, saga: expect.any(String) });
    await stage.time.runUntil(() => settled(stage.leader), 900_000);
    const saga = await newestOf(stage.sim, act);
    expect(saga).toMatchObject({ id: real.body.saga, outcome: 'DONE' });
    const done = saga.journal.filter((e) => e.event === 'done').map((e) => e.step);
    expect(done).toEqual(first.body.steps.map((s: { step: string }) => s.step));
  });

  it('refused, all three give the same reasons; nothing is written but that the real one was denied', async () => {
    await set(arrange);
    spoil(stage.sim.world);
    const key = randomUUID();
    const before = everything();
    const refusals = async (dryRun: boolean): Promise<unknown> =>
      (await post(act, { ...body, dryRun }, key).expect(409)).body.blockedBy;
    const first = await refusals(true);
    expect(first).toMatchObject([{ name: reason }]);
    expect(await refusals(true)).toEqual(first);
    expect(everything()).toEqual(before);

    const audited = stage.database.tables.audit.length;
    expect(await refusals(false)).toEqual(first);
    await vi.waitFor(() => expect(stage.database.tables.audit).toHaveLength(audited + 1));
    expect(stage.database.tables.audit.at(-1)).toMatchObject({ action: 'denied', group: 'orders' });
    expect(everything()).toEqual({ ...before, audit: everything()['audit'] });
  });
});

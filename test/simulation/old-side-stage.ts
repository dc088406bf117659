import type { RejoinOrder, SagaKind, SagaRecord, StepName } from '#failover';
import { CrashedHere, type CrashPoint } from '../../apps/controller/src/saga/crash-point.js';
import type { PlannedAnswer, PlannedAsk } from '../../apps/controller/src/saga/planned-ask.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { Simulation, type SimController } from './simulation.js';
import { VirtualTime } from './virtual-time.js';

const ORDER: RejoinOrder = {
  choice: 'export',
  destination: 'topic',
  strategy: 'last-write-wins',
  priority: [],
  confirm: null,
};
export const settled = (controller: SimController): boolean => controller.runner.open('orders') === null;

export type Stage = Readonly<{
  time: VirtualTime;
  database: MemoryAuthorityDatabase;
  sim: Simulation;
  leader: SimController;
}>;
export type More = Parameters<Simulation['controller']>[1];

/** a died with a tail of 5 + 2 records (E_a 100 and 44, N 94 and 41), b is active, a answers again, fenced. */
export async function afterFailover(more: More = {}): Promise<Stage> {
  const time = new VirtualTime();
  const database = new MemoryAuthorityDatabase();
  const sim = new Simulation({ time, openStore: (client) => database.connect(client) });
  await sim.createGroup();
  const first = sim.controller('ctl-1');
  await sim.acquire(first);
  sim.world.killIdc('a');
  await sim.tick(first);
  await time.runUntil(() => settled(first));
  sim.world.cluster('b').ends.set('orders/0', 120);
  sim.world.revive('a');
  const leader = sim.controller('ctl-2', more);
  await sim.acquire(leader);
  await leader.runner.takenOver();
  await sim.refresh();
  return { time, database, sim, leader };
}

export const ask = (
  { leader }: Pick<Stage, 'leader'>,
  order: Partial<RejoinOrder> = {},
  acceptUnfencedSource = false,
): Promise<PlannedAnswer | null> => {
  const rejoin = { ...ORDER, ...order };
  const request = { by: 'operator:ann', reason: 'a is back', acceptUnfencedSource, rejoin };
  const wish: PlannedAsk = { kind: 'rejoin', group: 'orders', target: null, request };
  return leader.runner.request(wish, async () => undefined);
};

export async function newestOf(sim: Simulation, kind: SagaKind): Promise<SagaRecord> {
  const found = (await sim.sagas()).find((s) => s.kind === kind);
  if (found === undefined) throw new Error(`no ${kind} was opened`);
  return found;
}

export const crashOnce =
  (when: 'before' | 'after', step: StepName, died: () => void): CrashPoint =>
  (w, s) => {
    if (w !== when || s !== step) return;
    died();
    throw new CrashedHere(`${when}:${step}`);
  };

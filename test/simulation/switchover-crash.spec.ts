import { describe, expect, it } from 'vitest';
import { stepsOf, type StepName } from '#failover';
import { CrashedHere, type CrashPoint } from '../../apps/controller/src/saga/crash-point.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { dyingAt } from './crashing-store.js';
import { expectGoodEnd } from './good-end.js';
import { Simulation, type SimController } from './simulation.js';
import { VirtualTime } from './virtual-time.js';

type Death = Readonly<{
  name: string;
  certain: boolean;
  how: (died: () => void) => Parameters<Simulation['controller']>[1];
}>;

const crashOnce =
  (when: 'before' | 'after', step: StepName, died: () => void): CrashPoint =>
  (w, s) => {
    if (w !== when || s !== step) return;
    died();
    throw new CrashedHere(`${when}:${step}`);
  };

const AT_EFFECTS: readonly Death[] = stepsOf('switchover').flatMap((step) =>
  (['before', 'after'] as const).map((when) => ({
    name: `${when} the effect of ${step}`,
    certain: true,
    how: (died: () => void) => ({ crash: crashOnce(when, step, died) }),
  })),
);

/** More transactions than a switchover has: the last ones never happen. */
const AT_COMMITS: readonly Death[] = Array.from({ length: 30 }, (_, i) => i + 1).flatMap((n) =>
  (['before', 'after'] as const).map((when) => ({
    name: `${when} transaction ${n}`,
    certain: n <= 20,
    how: (died: () => void) => ({ store: dyingAt(n, when, died) }),
  })),
);

const settled = (controller: SimController): boolean => controller.runner.open('orders') === null;

async function dieAndGoOn(death: Death): Promise<void> {
  const time = new VirtualTime();
  const database = new MemoryAuthorityDatabase();
  const sim = new Simulation({ time, openStore: (client) => database.connect(client) });
  sim.world.copies = true;
  await sim.createGroup();
  let dead = false;
  const first = sim.controller(
    'ctl-1',
    death.how(() => (dead = true)),
  );
  await sim.acquire(first);
  await first.runner.takenOver();
  await sim.request(first).catch((error: unknown) => {
    if (!dead) throw error;
  });
  await time.runUntil(() => dead || settled(first), 300_000);
  expect(dead || !death.certain, 'the leader was to die and did not').toBe(true);
  if (dead) await succeed(sim, time, 'ctl-2');
  const sagas = await sim.sagas();
  expect(sagas.map((s) => s.outcome)).toEqual(['DONE']);
  expect(sim.pointer()).toMatchObject({ activeCluster: 'b', mode: 'ACTIVE', epoch: sagas[0]?.epoch });
  expect(sim.published.filter((p) => p.activeCluster === 'b')).toHaveLength(1);
  expect(sim.world.effects('stale-refused')).toEqual([]);
  expect(sim.world.effects('flow-started', 'b->a')).toHaveLength(1);
  expect(sim.world.effects('flow-stopped', 'b->a')).toHaveLength(0);
  expect(sim.world.seeds.get('b->a')?.get('orders/0')).toBe(100);
  expectGoodEnd(sim, sagas, { oldSideOpen: false });
}

async function succeed(sim: Simulation, time: VirtualTime, id: string): Promise<void> {
  const next = sim.controller(id);
  await sim.acquire(next);
  await next.runner.takenOver();
  // A death before the journal began leaves nothing to resume: the person asks again.
  if ((await sim.sagas()).length === 0) await sim.request(next);
  await time.runUntil(() => settled(next), 300_000);
}

/** I22, I23: whichever instant the leader dies at, the next one finishes; the way back is seeded before it runs, and runs once. */
describe('a planned switch whose leader dies', () => {
  it.each(AT_EFFECTS)('$name', (death) => dieAndGoOn(death));
  it.each(AT_COMMITS)('$name', (death) => dieAndGoOn(death));
});

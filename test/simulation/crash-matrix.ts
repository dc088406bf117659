import { describe, expect, it } from 'vitest';
import { type Policy, stepsOf, type StepName } from '#failover';
import type { AuthorityStore } from '../../apps/controller/src/persistence/authority-store.port.js';
import { CrashedHere, type CrashPoint } from '../../apps/controller/src/saga/crash-point.js';
import type { SagaTime } from '../../apps/controller/src/saga/saga-time.js';
import type { SagaTimes } from '../../apps/controller/src/saga/saga-options.js';
import { dyingAt } from './crashing-store.js';
import { expectGoodEnd } from './good-end.js';
import { Simulation, type SimController } from './simulation.js';

/** How a matrix gets its time and its stores: virtual and in memory, or real. */
export type MatrixHost = Readonly<{
  time: SagaTime;
  openStore: (client: string) => AuthorityStore;
  runUntil: (done: () => boolean) => Promise<void>;
  times?: Partial<SagaTimes>;
  policy?: Policy;
  close: () => Promise<void>;
}>;

type Death = Readonly<{
  name: string;
  certain: boolean;
  how: (died: () => void) => Parameters<Simulation['controller']>[1];
}>;

/** What lies behind every death: the whole IDC dead, or brokers that die under a living agent, or all of it alive behind a cut. */
const WORLDS = {
  'IDC a is dead': (sim: Simulation) => sim.world.killIdc('a'),
  'the brokers of a refuse': (sim: Simulation) => sim.world.killCluster('a'),
  'the brokers of a are frozen': (sim: Simulation) => {
    sim.world.cluster('a').frozen = true;
  },
  'IDC a is cut off': (sim: Simulation) => {
    sim.world.hearToken('a');
    sim.world.cutIdc = 'a';
  },
} as const;

const atEffect = (when: 'before' | 'after', step: StepName): Death => ({
  name: `${when} the effect of ${step}`,
  certain: true,
  how: (died) => ({ crash: crashOnce(when, step, died) }),
});

const atTransaction = (n: number, when: 'before' | 'after'): Death => ({
  name: `${when} transaction ${n}`,
  certain: n <= 12,
  how: (died) => ({ store: dyingAt(n, when, died) }),
});

export const EFFECT_DEATHS: readonly Death[] = stepsOf('failover').flatMap((step) => [
  atEffect('before', step),
  atEffect('after', step),
]);

/** More transactions than a failover has: the last ones never happen, and the saga simply ends. */
export const COMMIT_DEATHS: readonly Death[] = Array.from({ length: 20 }, (_, i) => i + 1).flatMap((n) => [
  atTransaction(n, 'before'),
  atTransaction(n, 'after'),
]);

/** I22, I23: whichever instant the leader dies at, the next one brings the group to one of the two good ends. */
export function crashMatrix(
  host: () => Promise<MatrixHost>,
  deaths: readonly Death[],
  worlds: readonly (keyof typeof WORLDS)[],
): void {
  describe.each(worlds)('%s', (worldName) => {
    it.each(deaths)('the leader dies $name', async (death) => {
      const { time, openStore, runUntil, times, policy, close } = await host();
      const sim = new Simulation({ time, openStore, ...(times ? { times } : {}), ...(policy ? { policy } : {}) });
      await sim.createGroup();
      let dead = false;
      const first = sim.controller(
        'ctl-1',
        death.how(() => (dead = true)),
      );
      await sim.acquire(first);
      WORLDS[worldName](sim);
      await sim.tick(first);
      await runUntil(() => dead || settled(first));
      expect(dead || !death.certain, 'the leader was to die and did not').toBe(true);
      if (dead) await succeed(sim, runUntil);
      const sagas = await sim.sagas();
      expect(sagas.map((s) => s.outcome)).toEqual(['DONE']);
      expect(sim.published.filter((p) => p.activeCluster === 'b')).toHaveLength(1);
      expect(sim.world.effects('flow-stopped', 'a->b')).toHaveLength(1);
      expect(sim.world.effects('stale-refused')).toEqual([]);
      expectGoodEnd(sim, sagas);
      expect(sim.world.effects('fenced', 'a')).toHaveLength(1);
      const alerts = await sim.observer.pendingAlerts(20);
      expect(alerts.map((row) => row.alert.type)).toEqual(['acting', 'completed']);
      expect((await sim.observer.ledger('orders')).map((row) => row.s)).toEqual([95, 42]);
      await sim.close();
      await close();
    });
  });
}

const settled = (controller: SimController): boolean => controller.runner.open('orders') === null;

async function succeed(sim: Simulation, runUntil: MatrixHost['runUntil']): Promise<void> {
  const second = sim.controller('ctl-2');
  await sim.acquire(second);
  await second.runner.takenOver();
  await sim.tick(second); // a death before the journal began leaves nothing to resume: the decision starts it anew
  await runUntil(() => settled(second));
}

/** The process is gone at that point: whatever it would have done next never happens. */
function crashOnce(when: 'before' | 'after', step: StepName, died: () => void): CrashPoint {
  return (w, s) => {
    if (w !== when || s !== step) return;
    died();
    throw new CrashedHere(`${when}:${step}`);
  };
}

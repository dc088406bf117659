import { expect } from 'vitest';
import {
  checkFenceBeforePublish,
  checkGoodEnd,
  checkJournal,
  checkPublications,
  checkPublishableFirst,
  type SagaRecord,
} from '#failover';
import type { Simulation } from './simulation.js';

/** Brings the old side back, so that fences that could not be set or lifted before must be true now, and judges. */
export function expectGoodEnd(
  sim: Simulation,
  sagas: readonly SagaRecord[],
  planned?: Readonly<{ oldSideOpen: boolean }>,
): void {
  sim.world.revive('a');
  sim.world.revive('b');
  const problems = [
    ...checkGoodEnd({
      source: 'a',
      target: 'b',
      pointer: sim.pointer().activeCluster,
      acceptsWrites: { a: sim.world.acceptsWrites('a'), b: sim.world.acceptsWrites('b') },
      runningFlows: [...sim.world.flows].filter(([, state]) => state === 'running').map(([flow]) => flow),
      ...(planned === undefined ? {} : { planned }),
    }),
    ...checkPublications(sim.published),
    ...(sim.fencing === 'strict'
      ? sim.publishedWhileOpen.map((epoch) => `I27 b at epoch ${epoch} while a took writes`)
      : []),
    ...sagas.flatMap((saga) => [
      ...checkPublishableFirst(saga),
      ...checkFenceBeforePublish(saga, sim.fencing),
      ...checkJournal(saga),
    ]),
  ];
  expect(problems).toEqual([]);
}

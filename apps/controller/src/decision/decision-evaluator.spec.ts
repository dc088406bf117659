import { expect, it } from 'vitest';
import { defaultPolicy, INITIAL_MEMORY, type Memory, sampleSnapshot } from '#failover';
import type { ControllerConfig, GroupConfig } from '../config/compile.js';
import { DecisionEvaluator } from './decision-evaluator.js';
import type { DecisionRecorder } from './decision-recorder.js';

const aGroup = (mode: GroupConfig['mode']) =>
  ({ name: 'orders', mode, policy: defaultPolicy }) as unknown as GroupConfig;

it('lets windows go on from tick to tick, and starts them anew when a reload gave the group another configuration', () => {
  const given: (Memory | null)[] = [];
  let now = 60_000;
  const snapshots = {
    build: (_group: string, memory: Memory | null) => {
      given.push(memory);
      now += 500;
      return sampleSnapshot({ now, memory: memory ?? INITIAL_MEMORY });
    },
  };
  const recorder = { record: () => undefined } as unknown as DecisionRecorder;
  const evaluator = new DecisionEvaluator({ groups: [] } as unknown as ControllerConfig, snapshots, recorder);
  const before = aGroup('observe');
  evaluator.tick(before);
  evaluator.tick(before);
  const running = given[1]?.conditionSinceMs ?? {};
  expect(Object.keys(running).length).toBeGreaterThan(0);
  evaluator.tick(before);
  expect(given[2]?.conditionSinceMs).toEqual(running);
  const kept = given[2]?.freshSinceMs;
  evaluator.tick(aGroup('auto'));
  expect(given[3]?.conditionSinceMs).toEqual({});
  expect(given[3]?.freshSinceMs).toBe(kept);
});

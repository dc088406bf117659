import { expect, it } from 'vitest';
import { breakGlassGoals } from './break-glass-goals.js';

const connectors = { source: 'src', checkpoint: 'cp', heartbeat: 'hb' };
const group = {
  name: 'orders',
  clusters: ['a', 'b'],
  topics: ['orders', 'pay-*'],
  flows: [
    { from: 'a', to: 'b', naming: 'identity', connectors },
    { from: 'b', to: 'a', naming: 'identity', connectors, dedicated: true },
  ],
} as const;

it('closes what the pointer does not name, stops what may be steered, and opens the active cluster last', () => {
  const goals = breakGlassGoals(group, { active: 'b', epoch: 1_007, term: 4 });
  expect(goals.map((g) => (g.subject === 'cluster' ? [g.cluster, g.state] : [g.from, g.to, g.state]))).toEqual([
    ['a', 'fenced'],
    ['a', 'b', 'stopped'],
    ['b', 'open'],
  ]);
  expect(goals.every((g) => g.epoch === 1_007 && g.term === 4 && g.group === 'orders')).toBe(true);
  expect(goals[0]).toMatchObject({ topics: ['orders', 'pay-*', 'pointsman-check.orders'] });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { type ClusterGoal, goalKey, type GoalStatus, type PreviousValues } from '#failover';
import { FenceMemories } from './fence-memories.js';

const opening: ClusterGoal = {
  ...{ subject: 'cluster', group: 'orders', cluster: 'a', state: 'open' },
  ...{ epoch: 8, term: 3, topics: ['orders'] },
};

const status = (previous: PreviousValues, key = goalKey(opening)): GoalStatus => ({
  ...{ key, wanted: 'open', observed: 'fenced', reached: false },
  ...{ epoch: 8, term: 3, ageMs: 0, detail: '', previous },
});

let memories: FenceMemories;
beforeEach(() => {
  memories = new FenceMemories();
});
const told = (agent: string, goal = opening) => memories.tell(agent, { goal, role: 'own' }).goal;

describe('what the agent that opens a cluster is told of the others’ memories', () => {
  it('is what each of them remembers; of two that remember one topic the earlier heard counts', () => {
    expect(memories.heard('agent-b', status({ orders: '2000000' }))).toBe(true);
    expect(memories.heard('agent-b', status({ orders: '2000000' }))).toBe(false);
    expect(memories.heard('agent-c', status({ orders: null, payments: null }))).toBe(true);
    expect(told('agent-a')).toEqual({ ...opening, previous: { orders: '2000000', payments: null } });
    expect(told('agent-b')).toEqual({ ...opening, previous: { orders: null, payments: null } });
    expect(memories.heard('agent-b', status({}))).toBe(true);
    expect(memories.heard('agent-c', status({}))).toBe(true);
    expect(told('agent-a')).toBe(opening);
  });

  it('is nothing of another goal, nothing for a fence, and no word where nobody remembers', () => {
    expect(memories.heard('agent-b', status({}))).toBe(false);
    memories.heard('agent-b', status({ orders: '1' }, 'orders/cluster/b'));
    expect(told('agent-a')).toBe(opening);
    memories.heard('agent-b', status({ orders: '1' }));
    const fence: ClusterGoal = { ...opening, state: 'fenced' };
    expect(told('agent-a', fence)).toBe(fence);
  });
});

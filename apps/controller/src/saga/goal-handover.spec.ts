import { expect, it } from 'vitest';
import type { ClusterGoal, Goal } from '#failover';
import { GoalHandover } from './goal-handover.js';

const goal = (group: string): ClusterGoal => ({
  ...{ subject: 'cluster', group, cluster: 'a', state: 'fenced', epoch: 2, term: 1, topics: [] },
});

it('an older reading whose answer comes late does not replace a newer one', async () => {
  const answers: ((goals: readonly Goal[]) => void)[] = [];
  const sent: (readonly Goal[])[] = [];
  const store = { goals: () => new Promise<readonly Goal[]>((resolve) => void answers.push(resolve)) };
  const handover = new GoalHandover(store, { setGoals: (_term, goals) => void sent.push(goals) });
  const [first, second] = [handover.send(1), handover.send(1)];
  await Promise.resolve();
  expect(answers).toHaveLength(1); // the second reading is not begun before the first is over
  answers[0]?.([goal('orders')]);
  await first;
  await Promise.resolve();
  answers[1]?.([goal('orders'), goal('pay')]);
  await second;
  expect(sent.at(-1)).toHaveLength(2);
});

it('a reading that fails is told to whoever asked, and the next one goes its way', async () => {
  let fails = true;
  const sent: (readonly Goal[])[] = [];
  const store = { goals: async () => (fails ? Promise.reject(new Error('away')) : [goal('orders')]) };
  const handover = new GoalHandover(store, { setGoals: (_term, goals) => void sent.push(goals) });
  await expect(handover.send(1)).rejects.toThrow('away');
  fails = false;
  await handover.send(1);
  expect(sent).toHaveLength(1);
});

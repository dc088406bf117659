import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClusterGoal, FlowGoal, WatchGroup } from '#failover';
import { goalsToKeep, judgeAlone, judgeGoalSet, NO_FLOORS } from './goal-rules.js';

const fence = (epoch: number, over: Partial<ClusterGoal> = {}): ClusterGoal => ({
  subject: 'cluster',
  group: 'orders',
  cluster: 'a',
  state: 'fenced',
  epoch,
  term: 3,
  topics: ['orders'],
  ...over,
});

const stop = (epoch: number): FlowGoal => ({
  subject: 'flow',
  group: 'orders',
  from: 'a',
  to: 'b',
  state: 'stopped',
  epoch,
  term: 3,
  connectors: { source: 's', checkpoint: 'c', heartbeat: 'h' },
});

const watch = (active: string | null, epoch: number): WatchGroup => ({
  name: 'orders',
  clusters: ['a', 'b'],
  topics: ['orders'],
  consumerGroups: [],
  principals: [],
  flows: [],
  active,
  epoch,
});

describe('taking a goal set', () => {
  const own = (goal: ClusterGoal | FlowGoal) => ({ goal, role: 'own' as const });

  it('refuses a lower term as a whole', () => {
    expect(judgeGoalSet({ term: 4, goals: [] }, { ...NO_FLOORS, highestTerm: 5 })).toMatchObject({ taken: false });
  });

  it('refuses a lower epoch goal by goal, also after the goal was dropped', () => {
    const first = judgeGoalSet({ term: 5, goals: [own(fence(8)), own(stop(8))] }, NO_FLOORS);
    if (!first.taken) throw new Error('refused');
    const dropped = judgeGoalSet({ term: 5, goals: [] }, first.floors);
    if (!dropped.taken) throw new Error('refused');
    expect(dropped.goals).toEqual([]);
    const later = judgeGoalSet({ term: 6, goals: [own(fence(7)), own(stop(9))] }, dropped.floors);
    expect(later).toMatchObject({
      taken: true,
      goals: [{ goal: { epoch: 9 } }],
      refused: [expect.stringContaining('epoch 7 is lower than 8')],
      floors: { highestTerm: 6, groupEpochs: { orders: 9 } },
    });
  });

  it('keeps only what belongs to its own IDC', () => {
    const kept = goalsToKeep([
      { goal: fence(8), role: 'own' },
      { goal: fence(8, { cluster: 'b' }), role: 'stand_in' },
      { goal: stop(8), role: 'bystander' },
    ]);
    expect(kept).toEqual([fence(8)]);
  });
});

describe('alone (I41)', () => {
  it('fences a cluster that the pointer is known not to name', () => {
    expect(judgeAlone(fence(8), null, watch('b', 8))).toEqual({ apply: true });
    expect(judgeAlone(fence(8), { epoch: 8, term: 3, active: 'b' }, null)).toEqual({ apply: true });
    expect(judgeAlone(fence(8), { epoch: 8, term: 3, active: null }, watch('b', 8))).toEqual({ apply: true });
  });

  it.each([
    ['the saga was never seen to publish', fence(8), null, watch('a', 7)],
    ['nothing is known of the pointer', fence(8), null, null],
    ['the pointer came back to it', fence(8), null, watch('a', 9)],
    ['another epoch is recorded on the cluster', fence(8), { epoch: 9, term: 4, active: null }, watch('b', 8)],
    ['a later term acted at the same epoch', fence(8), { epoch: 8, term: 4, active: null }, watch('b', 8)],
    ['record and cache disagree at one epoch', fence(8), { epoch: 8, term: 3, active: 'a' }, watch('b', 8)],
    ['opening needs a leader', fence(8, { state: 'open' }), null, watch('b', 8)],
  ] as const)('leaves it alone when %s', (_name, goal, recorded, known) => {
    expect(judgeAlone(goal, recorded, known).apply).toBe(false);
  });

  it('re-applies a stop unless something newer is recorded; never starts a flow', () => {
    expect(judgeAlone(stop(8), null, null)).toEqual({ apply: true });
    expect(judgeAlone(stop(8), { epoch: 9, term: 3, active: null }, null).apply).toBe(false);
    expect(judgeAlone({ ...stop(8), state: 'running' }, null, watch('b', 8)).apply).toBe(false);
  });

  /**
   * The pointer moves a → b → a → …; each move fences the old cluster and opens the new one, which records the epoch
   * there. Whatever the agent of `a` missed in between, alone it never fences `a` while the pointer names it.
   */
  it('never fences the cluster that the pointer names, whatever it missed', () => {
    const anyHistory = fc.record({
      moves: fc.integer({ min: 0, max: 6 }),
      goalFrom: fc.nat({ max: 6 }),
      watchFrom: fc.nat({ max: 6 }),
    });
    fc.assert(
      fc.property(anyHistory, ({ moves, goalFrom, watchFrom }) => {
        const activeAt = (epoch: number): string => (epoch % 2 === 1 ? 'a' : 'b'); // epoch 1: a
        const now = 1 + moves;
        const goalEpoch = Math.min(1 + goalFrom, now + 1); // now + 1: a saga under way, not published
        const watchEpoch = Math.min(1 + watchFrom, now);
        // A switch to a at an odd epoch > 1 opened it and recorded the epoch on it.
        const opened = Array.from({ length: now }, (_, i) => i + 1).filter((e) => e > 1 && activeAt(e) === 'a');
        const newest = opened.at(-1);
        const recorded = newest === undefined ? null : { epoch: newest, term: 3, active: null };
        const verdict = judgeAlone(fence(goalEpoch), recorded, watch(activeAt(watchEpoch), watchEpoch));
        if (activeAt(now) === 'a') expect(verdict.apply).toBe(false);
      }),
    );
  });
});

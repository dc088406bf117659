import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClusterGoal, FlowGoal, GoalStatus } from '#failover';
import { createLogger } from '#platform';
import type { GoalRole, Watch } from '#rpc';
import { FakeHands } from '../../../../test/fakes/fake-hands.js';
import { AgentMemory } from './agent-memory.js';
import { GoalKeeper } from './goal-keeper.js';

const logger = createLogger('test', 'silent');
const ALONE_AFTER_MS = 10_000;

const fence = (epoch: number, term = 3): ClusterGoal => ({
  subject: 'cluster',
  group: 'orders',
  cluster: 'a',
  state: 'fenced',
  epoch,
  term,
  topics: ['orders'],
});

const flow = (state: FlowGoal['state'], epoch: number): FlowGoal => ({
  subject: 'flow',
  group: 'orders',
  from: 'b',
  to: 'a',
  state,
  epoch,
  term: 3,
  connectors: { source: 's', checkpoint: 'c', heartbeat: 'h' },
});

const watchOf = (active: string, epoch: number): Watch => ({
  clusters: [],
  groups: [
    { name: 'orders', clusters: ['a', 'b'], topics: [], consumerGroups: [], principals: [], flows: [], active, epoch },
  ],
});

let dir: string;
let hands: FakeHands;
let now: number;
let leaderAgeMs: number | null;
let overdue: boolean;
let statuses: GoalStatus[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pointsman-goals-'));
  hands = new FakeHands();
  now = 1_000;
  leaderAgeMs = 0;
  overdue = false;
  statuses = [];
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A process: a new one on the same folder is the same agent after a restart. */
const start = (): { keeper: GoalKeeper; memory: AgentMemory } => {
  const memory = new AgentMemory(dir, logger);
  const keeper = new GoalKeeper({
    hands,
    memory,
    logger,
    clock: () => now,
    answeredForMs: 4_000,
    aloneAfterMs: ALONE_AFTER_MS,
    effectTimeoutMs: 1_000,
    leaderAgeMs: () => leaderAgeMs,
    leaseTtlMs: () => 10_000,
    onStatus: (status) => statuses.push(status),
    isOverdue: () => overdue,
  });
  return { keeper, memory };
};

const set = (term: number, role: GoalRole, ...goals: (ClusterGoal | FlowGoal)[]) => ({
  term,
  goals: goals.map((goal) => ({ goal, role })),
});

const settled = (): Promise<void> => vi.waitFor(() => expect(statuses.at(-1)?.detail).not.toBe('not read yet'));

describe('with a leader', () => {
  it('waits for the cluster to answer, then acts in that very round and in each later one', async () => {
    const { keeper } = start();
    keeper.take(set(3, 'own', fence(8)));
    expect(hands.applied).toEqual([]);
    keeper.clusterAnswered('b');
    expect(hands.applied).toEqual([]);
    keeper.clusterAnswered('a');
    expect(hands.applied).toEqual([fence(8)]);
    await settled();
    keeper.clusterAnswered('a');
    expect(hands.applied).toHaveLength(2);
    expect(keeper.statuses()).toMatchObject([{ observed: 'fenced', reached: true }]);
  });

  it('acts at once on a goal whose cluster has just answered', async () => {
    const { keeper } = start();
    keeper.clusterAnswered('a');
    now += 3_999;
    keeper.take(set(3, 'own', fence(8)));
    expect(hands.applied).toHaveLength(1);
    await settled();
  });

  it('drops what the next set does not hold, and says nothing old about what replaced it', async () => {
    const { keeper, memory } = start();
    keeper.clusterAnswered('a');
    keeper.take(set(3, 'own', fence(8), flow('stopped', 8)));
    await settled();
    keeper.take(set(3, 'own', { ...fence(9), state: 'open' }));
    expect(keeper.held().map((a) => a.goal.epoch)).toEqual([9]);
    expect(memory.keptGoals).toHaveLength(1);
    await vi.waitFor(() => expect(keeper.statuses()).toMatchObject([{ wanted: 'open', observed: 'open', epoch: 9 }]));
  });

  it('only looks where it is a bystander, and keeps nothing on disk for it', async () => {
    const { keeper, memory } = start();
    keeper.clusterAnswered('a');
    keeper.take(set(3, 'bystander', fence(8)));
    await settled();
    keeper.clusterAnswered('a');
    expect(hands.applied).toEqual([]);
    expect(hands.observed).toHaveLength(1); // again only after a while
    expect(memory.keptGoals).toEqual([]);
  });
});

describe('while the disk takes nothing', () => {
  const fillDisk = (): void => mkdirSync(join(dir, 'goals.json.next')); // no file can be written there
  const freeDisk = (): void => rmSync(join(dir, 'goals.json.next'), { recursive: true });

  it('takes no set, does nothing for it, and takes it in the first round after', async () => {
    const { keeper, memory } = start();
    keeper.clusterAnswered('a');
    fillDisk();
    keeper.take(set(3, 'own', fence(8)));
    keeper.clusterAnswered('a');
    expect(hands.applied).toEqual([]);
    expect(memory.floors.highestTerm).toBe(0);
    expect(keeper.held()).toEqual([]);
    freeDisk();
    keeper.clusterAnswered('a');
    await vi.waitFor(() => expect(hands.applied).toEqual([fence(8)]));
    expect(start().keeper.held()).toHaveLength(1);
  });

  it('no longer takes the goals before it for the will of its leader', async () => {
    const { keeper } = start();
    keeper.take(set(3, 'own', { ...fence(8), state: 'open' }));
    fillDisk();
    keeper.take(set(3, 'own', fence(9)));
    now += ALONE_AFTER_MS;
    keeper.clusterAnswered('a');
    await vi.waitFor(() => expect(hands.observed).toHaveLength(1));
    expect(hands.applied).toEqual([]);
  });

  it('leaves it at the next handshake to bring the set of a leader that fell silent', () => {
    const { keeper } = start();
    fillDisk();
    keeper.take(set(3, 'own', fence(8)));
    leaderAgeMs = 10_001;
    freeDisk();
    keeper.clusterAnswered('a');
    leaderAgeMs = 0;
    keeper.clusterAnswered('a');
    expect(keeper.held()).toEqual([]);
  });

  it('refuses a command whose epoch it could not keep', () => {
    const { keeper, memory } = start();
    fillDisk();
    expect(keeper.refuseCommand(3, 8, 'orders')).toBe('unavailable');
    expect(memory.floors.groupEpochs).toEqual({});
    freeDisk();
    expect(keeper.refuseCommand(3, 8, 'orders')).toBeNull();
  });

  it('obeys no lower term than it has heard, and watches what it was told last, all the same', () => {
    const { keeper, memory } = start();
    fillDisk();
    mkdirSync(join(dir, 'watch.json.next'));
    keeper.heardTerm(5);
    memory.saveWatch(watchOf('b', 9));
    expect(keeper.refuseCommand(4, 8, 'orders')).toBe('refused_term');
    expect(memory.watch).toEqual(watchOf('b', 9));
  });
});

describe('while the cluster does not answer', () => {
  it('is closed by what needs no broker, again until it is, and by nothing else', async () => {
    const { keeper } = start();
    keeper.take(set(3, 'own', fence(8), flow('stopped', 8)));
    keeper.clusterSilent('b');
    expect(hands.silent).toEqual([]);
    keeper.clusterSilent('a');
    expect(hands.silent).toEqual([fence(8)]);
    await vi.waitFor(() => {
      keeper.clusterSilent('a'); // there was no hook
      expect(hands.silent).toHaveLength(2);
    });
    hands.hook = true;
    await vi.waitFor(() => {
      keeper.clusterSilent('a');
      expect(statuses.at(-1)).toMatchObject({ observed: 'fenced', reached: true, kind: 'hook' });
    });
    expect(hands.applied).toEqual([]);
  });

  it('keeps looking at a hook that holds, and leaves alone what another kind closed', async () => {
    const { keeper } = start();
    keeper.clusterAnswered('a');
    keeper.take(set(3, 'own', fence(8)));
    await settled();
    expect(statuses.at(-1)).toMatchObject({ reached: true });
    now += 4_001;
    keeper.clusterSilent('a');
    expect(hands.silent).toEqual([]);
    hands.hook = true;
    keeper.take(set(3, 'own', fence(9)));
    keeper.clusterSilent('a');
    await vi.waitFor(() => expect(statuses.at(-1)).toMatchObject({ epoch: 9, reached: true, kind: 'hook' }));
    keeper.clusterSilent('a');
    expect(hands.silent).toEqual([fence(9), fence(9)]);
  });

  it('counts as silent only when it has missed a round and its time-out', async () => {
    const { keeper } = start();
    hands.reachable = false;
    keeper.clusterAnswered('a');
    keeper.take(set(3, 'own', fence(8)));
    await settled();
    now += 4_000;
    keeper.clusterSilent('a');
    expect(hands.silent).toEqual([]);
    now += 1;
    keeper.clusterSilent('a');
    expect(hands.silent).toEqual([fence(8)]);
  });

  it('is left alone without a leader, and by an agent of another place', () => {
    const { keeper } = start();
    keeper.take(set(3, 'stand_in', fence(8)));
    keeper.clusterSilent('a');
    keeper.take(set(3, 'own', fence(9)));
    leaderAgeMs = 10_001;
    keeper.clusterSilent('a');
    expect(hands.silent).toEqual([]);
  });
});

describe('while the self-fence of the cluster is due', () => {
  it('opens nothing on an old word, and does after the next sign of life', async () => {
    const { keeper } = start();
    overdue = true;
    keeper.clusterAnswered('a');
    keeper.take(set(3, 'own', { ...fence(8), state: 'open' }));
    await vi.waitFor(() => expect(statuses.at(-1)?.detail).toBe('self-fenced: not opened'));
    expect(hands.applied).toEqual([]);
    overdue = false;
    keeper.clusterAnswered('a');
    await vi.waitFor(() => expect(hands.applied).toHaveLength(1));
  });
});

describe('alone', () => {
  const restartWith = async (goal: ClusterGoal | FlowGoal, watch: Watch): Promise<GoalKeeper> => {
    const before = start();
    before.memory.saveWatch(watch);
    before.keeper.take(set(3, 'own', goal));
    await before.keeper.close();
    hands = new FakeHands();
    leaderAgeMs = null;
    return start().keeper;
  };

  it('waits for its goals, then fences the cluster that the pointer does not name', async () => {
    const keeper = await restartWith(fence(8), watchOf('b', 8));
    now += ALONE_AFTER_MS - 1;
    keeper.clusterAnswered('a');
    await vi.waitFor(() => expect(keeper.statuses()[0]?.detail).toBe('waiting for a leader'));
    expect(hands.applied).toEqual([]);
    now += 1;
    keeper.clusterAnswered('a');
    await vi.waitFor(() => expect(hands.applied).toEqual([fence(8)]));
  });

  it('never fences the cluster that the pointer names (I41)', async () => {
    const keeper = await restartWith(fence(8), watchOf('a', 7));
    now += ALONE_AFTER_MS;
    keeper.clusterAnswered('a');
    await vi.waitFor(() => expect(keeper.statuses()[0]?.detail).toMatch(/alone, not applied/));
    expect(hands.applied).toEqual([]);
  });

  it('leaves a fence that something newer was recorded about', async () => {
    const keeper = await restartWith(fence(8), watchOf('b', 8));
    hands.epochs.set('a/orders', { epoch: 9, term: 4, active: null });
    now += ALONE_AFTER_MS;
    keeper.clusterAnswered('a');
    await vi.waitFor(() => expect(hands.observed).toHaveLength(1));
    expect(hands.applied).toEqual([]);
  });

  it('stops a flow again but never starts one', async () => {
    const stopped = await restartWith(flow('stopped', 8), watchOf('b', 8));
    now += ALONE_AFTER_MS;
    stopped.clusterAnswered('a');
    await vi.waitFor(() => expect(hands.applied).toHaveLength(1));
    await stopped.close();
    const running = await restartWith(flow('running', 9), watchOf('b', 9));
    now += ALONE_AFTER_MS;
    running.clusterAnswered('a');
    await vi.waitFor(() => expect(hands.observed).toHaveLength(1));
    expect(hands.applied).toEqual([]);
  });

  it('does the same when its leader falls silent for longer than the lease', async () => {
    const { keeper, memory } = start();
    memory.saveWatch(watchOf('a', 7));
    keeper.take(set(3, 'own', fence(8)));
    leaderAgeMs = 10_001;
    now += ALONE_AFTER_MS;
    keeper.clusterAnswered('a');
    await vi.waitFor(() => expect(hands.observed).toHaveLength(1));
    expect(hands.applied).toEqual([]);
  });

  it('starts without memory when its file cannot be understood, and sets it aside', async () => {
    await restartWith(fence(8), watchOf('b', 8));
    writeFileSync(join(dir, 'goals.json'), '{"version": 1, "goals": [');
    expect(start().keeper.held()).toEqual([]);
    expect(readFileSync(join(dir, 'goals.json.unreadable'), 'utf8')).toContain('"goals": [');
  });
});

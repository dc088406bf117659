import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { START_WAIT_MS, type WatchGroup } from '#failover';
import { createLogger } from '#platform';
import { FakeHands } from '../../../../test/fakes/fake-hands.js';
import { type Floors, NO_FLOORS } from '../goals/goal-rules.js';
import { SelfFenceKeeper } from './self-fence-keeper.js';
import { SelfFenceMemory } from './self-fence-memory.js';

const logger = createLogger('test', 'silent');
const AFTER_MS = 20_000;
const QUIET_MS = 8_000;
const WATCH: WatchGroup = {
  ...{ name: 'orders', clusters: ['a', 'b'], topics: ['orders'], consumerGroups: [], principals: [], flows: [] },
  ...{ active: 'a', epoch: 7 },
};

let dir: string;
let hands: FakeHands;
let now: number;
let number: number;
let floors: Floors;
let watched: WatchGroup | null;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pointsman-self-fence-'));
  hands = new FakeHands();
  now = 100_000;
  number = 0;
  floors = NO_FLOORS;
  watched = WATCH;
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A process: a new one on the same folder is the same agent after a restart. */
const start = (): SelfFenceKeeper =>
  new SelfFenceKeeper({
    hands,
    memory: new SelfFenceMemory(dir, logger),
    clock: () => now,
    logger,
    floors: () => floors,
    watched: () => watched,
    quietMs: QUIET_MS,
    applyFloorMs: () => 1_000,
    effectTimeoutMs: 1_000,
  });

const token = (arm: boolean, over: Partial<Parameters<SelfFenceKeeper['take']>[0]> = {}) => ({
  term: 3,
  number: ++number,
  grants: [{ group: 'orders', cluster: 'a', epoch: 7, arm, selfFenceAfterMs: AFTER_MS }],
  sentAtMs: now,
  ...over,
});

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const isArmed = (keeper: SelfFenceKeeper): boolean => keeper.report().some((f) => f.armed);

/** Armed, and measured: what the leader counts on. */
async function armed(): Promise<SelfFenceKeeper> {
  const keeper = start();
  keeper.take(token(true));
  keeper.clusterAnswered('a');
  await settled();
  expect(keeper.report()).toMatchObject([{ group: 'orders', cluster: 'a', epoch: 7, armed: true, applyMs: 1_000 }]);
  return keeper;
}

describe('an armed agent', () => {
  it('closes its cluster when its token is overdue, and not a moment before', async () => {
    const keeper = await armed();
    now += AFTER_MS;
    keeper.tick();
    expect(hands.applied).toEqual([]);
    now += 1;
    keeper.tick();
    expect(hands.applied).toMatchObject([{ subject: 'cluster', cluster: 'a', state: 'fenced', epoch: 7, term: 3 }]);
    expect(hands.applied[0]).toMatchObject({ topics: ['orders', 'pointsman-check.orders'] });
    await settled();
    expect(keeper.report()).toMatchObject([{ selfFenced: true }]);
    expect(keeper.isOverdue('orders', 'a')).toBe(true);
  });

  it('takes a token for a sign of life where the disk does not take it, and promises nothing new', async () => {
    const keeper = await armed();
    mkdirSync(join(dir, 'self-fence.json.next')); // no file can be written there
    const [grant] = token(true).grants;
    const grants = [
      { ...grant!, epoch: 8 },
      { ...grant!, group: 'bills' },
    ];
    now += AFTER_MS;
    keeper.take(token(true, { grants }));
    now += 1;
    keeper.tick();
    expect(hands.applied).toEqual([]);
    expect(keeper.report()).toMatchObject([{ group: 'orders', epoch: 7, armed: true }]);
    rmSync(join(dir, 'self-fence.json.next'), { recursive: true });
    keeper.take(token(true, { grants }));
    expect(keeper.report()).toMatchObject([
      { group: 'orders', epoch: 8, armed: true },
      { group: 'bills', epoch: 7, armed: false },
    ]);
  });

  it('promises nothing before it knows what the fence takes, or which topics there are', async () => {
    const keeper = start();
    keeper.take(token(true));
    expect(isArmed(keeper)).toBe(false);
    keeper.clusterAnswered('a');
    await settled();
    expect(isArmed(keeper)).toBe(true);
    watched = null;
    expect(isArmed(keeper)).toBe(false);
  });

  it('counts a token from the report that it answers, not from its arrival', async () => {
    const keeper = await armed();
    now += 15_000;
    keeper.take(token(true, { sentAtMs: now - 14_000 }));
    now += AFTER_MS - 13_999;
    keeper.tick();
    expect(hands.applied).toHaveLength(1);
  });

  it.each([
    ['of an older term than it has heard', 4, {}],
    ['that it has taken before', 3, { number: 1 }],
    ['that says nothing of this group', 3, { grants: [] }],
  ])('takes a token %s for no sign of life', async (_what, highestTerm, over) => {
    const keeper = await armed();
    floors = { ...NO_FLOORS, highestTerm };
    now += AFTER_MS + 1;
    keeper.take(token(true, over));
    keeper.tick();
    expect(hands.applied).toHaveLength(1);
  });

  it('stops closing with the next token, and opens nothing itself', async () => {
    const keeper = await armed();
    now += AFTER_MS + 1;
    keeper.tick();
    await settled();
    keeper.take(token(true));
    keeper.tick();
    keeper.clusterAnswered('a');
    await settled();
    expect(keeper.isOverdue('orders', 'a')).toBe(false);
    expect(hands.applied).toHaveLength(1);
    expect(keeper.report()).toMatchObject([{ selfFenced: false, armed: true }]);
  });

  it('closes at the highest epoch that it knows of its cluster', async () => {
    const keeper = await armed();
    floors = { highestTerm: 3, groupEpochs: { orders: 8 }, goalEpochs: { 'orders/cluster/a': 9 } };
    now += AFTER_MS + 1;
    keeper.tick();
    expect(hands.applied).toMatchObject([{ epoch: 9 }]);
  });

  it('tries again until its cluster can be closed, and closes one that returns in that very round', async () => {
    const keeper = await armed();
    hands.reachable = false;
    now += AFTER_MS + 1;
    keeper.tick();
    await settled();
    keeper.tick();
    await settled();
    expect(keeper.report()).toMatchObject([{ selfFenced: false }]);
    hands.reachable = true;
    keeper.clusterAnswered('a');
    await settled();
    expect(hands.applied).toHaveLength(3);
    expect(keeper.report()).toMatchObject([{ selfFenced: true }]);
    keeper.clusterAnswered('a'); // somebody may have opened it
    await settled();
    expect(hands.applied).toHaveLength(4);
  });
});

describe('an agent that starts', () => {
  it('closes the cluster that it was armed for, unless a token comes in time', async () => {
    await (await armed()).close();
    now += 1_000_000;
    const silent = start();
    now += START_WAIT_MS;
    silent.tick();
    expect(hands.applied).toEqual([]);
    now += 1;
    silent.tick();
    expect(hands.applied).toHaveLength(1);
    await silent.close();
    const led = start();
    led.take(token(true));
    now += START_WAIT_MS + 1;
    led.tick();
    expect(hands.applied).toHaveLength(1);
  });

  it('closes nothing that it was never armed for', () => {
    const keeper = start();
    keeper.take(token(false));
    now += 1_000_000;
    keeper.tick();
    keeper.clusterAnswered('a');
    expect(keeper.report()).toEqual([]);
    expect(hands.applied).toEqual([]);
  });
});

describe('a self-fence that is given up', () => {
  it('is said to be so at once and kept until every controller must know', async () => {
    const keeper = await armed();
    keeper.take(token(false));
    expect(keeper.report()).toMatchObject([{ armed: false }]);
    now += QUIET_MS - 1;
    keeper.take(token(false));
    expect(start().report()).toHaveLength(1); // still on disk
    now += 1;
    keeper.take(token(false));
    expect(keeper.report()).toEqual([]);
    expect(start().report()).toEqual([]);
  });

  it('still holds when the leader falls silent meanwhile', async () => {
    const keeper = await armed();
    keeper.take(token(false));
    now += AFTER_MS + 1;
    keeper.tick();
    await vi.waitFor(() => expect(hands.applied).toHaveLength(1));
  });

  it('is armed again by the next word to that end', async () => {
    const keeper = await armed();
    keeper.take(token(false));
    keeper.take(token(true));
    expect(isArmed(keeper)).toBe(true);
    now += QUIET_MS;
    keeper.take(token(false));
    expect(keeper.report()).toHaveLength(1);
  });
});

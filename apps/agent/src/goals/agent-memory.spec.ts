import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterGoal, FlowGoal, WatchGroup } from '#failover';
import { createLogger } from '#platform';
import type { Watch } from '#rpc';
import { AgentMemory } from './agent-memory.js';
import type { Floors } from './goal-rules.js';

const logger = createLogger('test', 'silent');
const connectors = { source: 's', checkpoint: 'c', heartbeat: 'h' };

/** Every optional member is present: one that the file's schema lacks would cost all groups at the next start. */
const FLOW: Required<WatchGroup['flows'][number]> = {
  from: 'a',
  to: 'b',
  naming: 'identity',
  connectors,
  dedicated: true,
};
const GROUP: Required<WatchGroup> = {
  name: 'orders',
  clusters: ['a', 'b'],
  topics: ['orders', 'pay-*'],
  consumerGroups: ['billing'],
  principals: ['User:shop'],
  flows: [FLOW],
  active: 'a',
  epoch: 7,
};
const WATCH: Watch = {
  clusters: [{ name: 'a', idc: 'x' }],
  groups: [GROUP, { ...GROUP, name: 'bills', active: null }],
};
const FENCE: Required<ClusterGoal> = {
  subject: 'cluster',
  group: 'orders',
  cluster: 'a',
  state: 'fenced',
  epoch: 8,
  term: 3,
  topics: ['orders'],
  kinds: ['acl', 'hook'],
  deniedGroups: ['billing'],
  previous: { orders: '2000000', payments: null },
};
const STOP: Required<FlowGoal> = {
  subject: 'flow',
  group: 'orders',
  from: 'a',
  to: 'b',
  state: 'stopped',
  epoch: 8,
  term: 3,
  connectors,
};
const FLOORS: Floors = { highestTerm: 3, groupEpochs: { orders: 8 }, goalEpochs: { 'orders/cluster/a': 8 } };

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pointsman-memory-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('AgentMemory', () => {
  it('gives back the whole watch list after a restart, dedicated flows included', () => {
    new AgentMemory(dir, logger).saveWatch(WATCH);
    expect(new AgentMemory(dir, logger).watch).toEqual(WATCH);
    expect(readdirSync(dir)).toEqual(['watch.json']);
  });

  it('gives back goals of every form and the floors', () => {
    new AgentMemory(dir, logger).saveGoals(FLOORS, [FENCE, STOP]);
    const again = new AgentMemory(dir, logger);
    expect(again.keptGoals).toEqual([FENCE, STOP]);
    expect(again.floors).toEqual(FLOORS);
    expect(readdirSync(dir)).toEqual(['goals.json']);
  });
});

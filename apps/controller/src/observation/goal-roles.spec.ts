import { describe, expect, it } from 'vitest';
import type { ClusterGoal } from '#failover';
import { assignmentsFor, type Candidate } from './goal-roles.js';

const goal: ClusterGoal = {
  subject: 'cluster',
  group: 'orders',
  cluster: 'a',
  state: 'fenced',
  epoch: 8,
  term: 3,
  topics: [],
};

const candidate = (idc: string, over: Partial<Candidate> = {}): Candidate => ({
  agent: `agent-${idc}`,
  idc,
  connected: true,
  fresh: true,
  clusters: ['a', 'b'],
  ...over,
});

const IDCS = new Map([
  ['a', 'a'],
  ['b', 'b'],
]);

const roles = (candidates: readonly Candidate[], graceOver = true): Record<string, string | undefined> =>
  Object.fromEntries(
    candidates.map((c) => [c.agent, assignmentsFor(c.agent, [goal], candidates, IDCS, graceOver)[0]?.role]),
  );

describe('who carries a goal out', () => {
  it('the own agent, with all others looking on', () => {
    expect(roles([candidate('a'), candidate('b'), candidate('c')])).toEqual({
      'agent-a': 'own',
      'agent-b': 'bystander',
      'agent-c': 'bystander',
    });
  });

  it('exactly one other while the own one is silent', () => {
    const silent = candidate('a', { connected: false, fresh: false });
    expect(roles([silent, candidate('b'), candidate('c')])).toMatchObject({
      'agent-b': 'stand_in',
      'agent-c': 'bystander',
    });
  });

  it('nobody else before every agent had the time to appear', () => {
    const silent = candidate('a', { connected: false, fresh: false });
    expect(roles([silent, candidate('b')], false)).toMatchObject({ 'agent-b': 'bystander' });
  });

  it('only those with credentials', () => {
    const silent = candidate('a', { connected: false, fresh: false });
    expect(roles([silent, candidate('b', { clusters: ['b'] }), candidate('c')])).toMatchObject({
      'agent-b': undefined,
      'agent-c': 'stand_in',
    });
  });

  it('a full agent before a witness, however the configuration names them; a witness when nobody else is there', () => {
    const silent = candidate('a', { connected: false, fresh: false });
    expect(roles([candidate('c'), silent, candidate('b')])).toMatchObject({
      'agent-b': 'stand_in',
      'agent-c': 'bystander',
    });
    const stale = candidate('b', { fresh: false });
    expect(roles([candidate('c'), silent, stale])).toMatchObject({ 'agent-b': 'bystander', 'agent-c': 'stand_in' });
  });

  it('nobody who said that it has no such cluster', () => {
    const silent = candidate('a', { connected: false, fresh: false });
    expect(roles([silent, candidate('b', { clusters: ['b'] }), candidate('c', { clusters: ['b'] })])).toEqual({
      'agent-a': 'bystander',
      'agent-b': undefined,
      'agent-c': undefined,
    });
  });

  it('one of two agents in the own IDC', () => {
    expect(roles([candidate('a'), { ...candidate('a'), agent: 'agent-a2' }])).toEqual({
      'agent-a': 'own',
      'agent-a2': 'bystander',
    });
  });
});

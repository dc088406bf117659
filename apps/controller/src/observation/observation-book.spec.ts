import { describe, expect, it } from 'vitest';
import { sampleFields } from '#failover';
import type { ClusterReport } from '#health';
import type { AgentReport, FlowUpdate } from '#rpc';
import { ObservationBook } from './observation-book.js';

const clusterReport = (cluster: string, over: Partial<ClusterReport> = {}): ClusterReport => ({
  cluster,
  state: 'UP',
  kind: null,
  everyBrokerRefused: false,
  marks: [],
  reasons: [],
  sampleAgeMs: 5,
  failingForMs: 0,
  refusedForMs: 0,
  lastAnsweredAgeMs: 5,
  fields: sampleFields(),
  ...over,
});

const report = (over: Partial<AgentReport> = {}): AgentReport => ({
  full: false,
  self: { healthy: true, reasons: [] },
  clusters: [],
  flows: [],
  fences: [],
  clusterSettings: [],
  flowSettings: [],
  consumerGroups: [],
  selfFences: [],
  ...over,
});

const flow = (over: Partial<FlowUpdate> = {}): FlowUpdate => ({
  group: 'orders',
  from: 'a',
  to: 'b',
  lagRecords: 0,
  lagMs: 0,
  heartbeatAgeMs: 0,
  observedAgeMs: 0,
  sourceConnector: 'RUNNING',
  checkpointConnector: 'RUNNING',
  whole: true,
  partitions: [],
  roundAgeMs: 0,
  ...over,
});

const book = (): ObservationBook =>
  new ObservationBook(['agent-a'], {
    clusters: new Set(['a']),
    fenceKeys: new Set(['orders/cluster/a']),
    flowKeys: new Set(['orders/flow/a->b']),
    consumerKeys: new Set(['orders/cluster/a/consumer/billing']),
  });

describe('the observation book', () => {
  it('keeps the newest report with its own receive time', () => {
    const b = book();
    b.report('agent-a', report({ clusters: [clusterReport('a')] }), 100);
    b.report('agent-a', report({ clusters: [clusterReport('a', { state: 'DEGRADED' })] }), 200);
    expect(b.agent('agent-a')?.clusters.get('a')).toMatchObject({ atMs: 200, value: { state: 'DEGRADED' } });
  });

  it('keeps a cluster that a later report does not speak of, with its old receive time', () => {
    const b = book();
    b.report('agent-a', report({ clusters: [clusterReport('a')] }), 100);
    b.report('agent-a', report(), 900);
    expect(b.agent('agent-a')).toMatchObject({ reportAtMs: 900 });
    expect(b.agent('agent-a')?.clusters.get('a')?.atMs).toBe(100);
  });

  it('keeps of the consumer groups those that are configured', () => {
    const b = book();
    const said = { group: 'orders', cluster: 'a', lagRecords: 3, observedAgeMs: 1, committedAgeMs: null };
    const consumerGroups = ['billing', 'stranger'].map((consumerGroup) => ({ ...said, consumerGroup }));
    b.report('agent-a', report({ consumerGroups }), 100);
    expect([...(b.agent('agent-a')?.consumerGroups.keys() ?? [])]).toEqual(['orders/cluster/a/consumer/billing']);
    b.report('agent-a', report({ full: true }), 200);
    expect(b.agent('agent-a')?.consumerGroups.size).toBe(0);
  });

  it('forgets with a full report what the agent no longer knows', () => {
    const b = book();
    b.report('agent-a', report({ clusters: [clusterReport('a')], flows: [flow()] }), 100);
    b.report('agent-a', report({ full: true }), 200);
    expect(b.agent('agent-a')?.clusters.size).toBe(0);
    expect(b.agent('agent-a')?.flows.size).toBe(0);
  });

  it('asks for a full report when changes arrive without what they change', () => {
    const b = book();
    expect(b.report('agent-a', report({ flows: [flow({ whole: false })] }), 100)).toBe(false);
    expect(b.report('agent-a', report({ flows: [flow()] }), 200)).toBe(true);
    expect(b.report('agent-a', report({ flows: [flow({ whole: false })] }), 300)).toBe(true);
  });

  it('keeps nothing of what is not configured', () => {
    const b = book();
    const status = {
      key: 'other/cluster/z',
      wanted: 'fenced',
      observed: 'fenced',
      reached: true,
      epoch: 1,
      term: 1,
      ageMs: 0,
      detail: '',
      previous: {},
    } as const;
    b.status('agent-a', status, 100);
    b.report('agent-a', report({ clusters: [clusterReport('z')], flows: [flow({ group: 'other' })] }), 100);
    b.report('agent-z', report({ clusters: [clusterReport('a')] }), 100);
    const record = b.agent('agent-a');
    expect([record?.clusters.size, record?.flows.size, record?.statuses.size]).toEqual([0, 0, 0]);
    expect(b.agent('agent-z')).toBeNull();
  });

  it('remembers a goodbye until the next hello', () => {
    const b = book();
    b.goodbye('agent-a', 100);
    expect(b.agent('agent-a')?.goodbyeAtMs).toBe(100);
    b.hello('agent-a');
    expect(b.agent('agent-a')?.goodbyeAtMs).toBeNull();
  });
});

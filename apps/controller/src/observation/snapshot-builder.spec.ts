import { describe, expect, it } from 'vitest';
import { sampleFields, sampleFlow, sampleGroup } from '#failover';
import type { ClusterReport } from '#health';
import type { AgentReport, FlowUpdate } from '#rpc';
import { FakeLeadership } from '../../../../test/fakes/fake-leadership.js';
import { ConsumerLagBook, consumersOf } from './consumer-lags.js';
import { consumerKey, fenceKey, flowKey, ObservationBook } from './observation-book.js';
import type { ObservationOptions } from './observation.options.js';
import { LeaseTokens } from './lease-tokens.js';
import { SnapshotBuilder } from './snapshot-builder.js';

const PROBE = { periodMs: 2_000, timeoutMs: 2_000 };
const STALE_AFTER_MS = 8_000;

const watch = {
  name: 'orders',
  clusters: ['a', 'b'],
  topics: ['orders'],
  consumerGroups: ['billing'],
  principals: [],
  flows: [
    {
      from: 'a',
      to: 'b',
      naming: 'identity',
      connectors: { source: 's', checkpoint: 'c', heartbeat: 'h' },
    },
  ],
} as const;

class Rig {
  now = 100_000;
  readonly book: ObservationBook;
  readonly builder: SnapshotBuilder;
  readonly tokens = new LeaseTokens();
  readonly lags: ConsumerLagBook;

  constructor(observers: ObservationOptions['observers']) {
    this.book = new ObservationBook(
      observers.map((o) => o.agent),
      {
        clusters: new Set(['a', 'b']),
        fenceKeys: new Set([fenceKey('orders', 'a'), fenceKey('orders', 'b')]),
        flowKeys: new Set([flowKey('orders', 'a', 'b')]),
        consumerKeys: new Set(consumersOf(watch).map(consumerKey)),
      },
    );
    const options: ObservationOptions = {
      controllerId: 'ctl-a',
      grpc: { listen: '127.0.0.1:0', tls: null },
      leaseTtlMs: 10_000,
      probe: PROBE,
      clusters: [
        { name: 'a', idc: 'a' },
        { name: 'b', idc: 'b' },
      ],
      observers,
      groups: [{ watch, placement: { storeSurvives: [], configCenterSurvives: [] } }],
    };
    const facts = {
      facts: () => sampleGroup({}),
      policyDigests: () => ({}),
      configCenter: () => ({ writableAgeMs: null, error: null }),
    };
    const clock = { monotonicMs: () => this.now, wallMs: () => 0 };
    this.lags = new ConsumerLagBook(options, this.book, clock);
    const leadership = new FakeLeadership({ id: 'ctl-a', advertise: '' });
    this.builder = new SnapshotBuilder(options, this.book, facts, leadership, this.tokens, clock);
  }

  report(agent: string, over: Partial<AgentReport>): void {
    const empty = {
      full: false,
      clusters: [],
      flows: [],
      fences: [],
      clusterSettings: [],
      flowSettings: [],
      consumerGroups: [],
      selfFences: [],
    };
    this.book.report(agent, { self: { healthy: true, reasons: [] }, ...empty, ...over }, this.now);
  }

  get snapshot() {
    return this.builder.build('orders', null);
  }
}

const THREE = ['a', 'b', 'c'].map((idc) => ({ agent: `agent-${idc}`, idc }));

const said = (state: ClusterReport['state'], over: Partial<ClusterReport> = {}): ClusterReport => ({
  cluster: 'a',
  state,
  kind: state === 'DOWN' ? 'UNREACHABLE' : null,
  everyBrokerRefused: false,
  marks: [],
  reasons: [],
  sampleAgeMs: 10,
  failingForMs: state === 'DOWN' ? 5_000 : 0,
  refusedForMs: 0,
  lastAnsweredAgeMs: null,
  fields: sampleFields(),
  ...over,
});

const flowUpdate = (lagRecords: number, roundAgeMs: number): FlowUpdate => {
  const { perPartition: _, ...facts } = sampleFlow({ from: 'a', to: 'b', lagRecords });
  return { ...facts, group: 'orders', whole: true, partitions: [], roundAgeMs };
};

describe('a snapshot', () => {
  it('ages every vote to its own now, and says STALE of silence only', () => {
    const rig = new Rig(THREE);
    rig.report('agent-a', { clusters: [said('DOWN')] });
    rig.now += STALE_AFTER_MS;
    rig.report('agent-b', { clusters: [said('UP')] });
    expect(rig.snapshot.votes['a']).toMatchObject({
      'agent-a': { state: 'DOWN', ageMs: STALE_AFTER_MS + 10, failingForMs: 5_000 },
      'agent-b': { state: 'UP', ageMs: 10 },
      'agent-c': { state: 'STALE', ageMs: null },
    });
    rig.now += 1;
    expect(rig.snapshot.votes['a']?.['agent-a']).toMatchObject({ state: 'STALE', kind: null, failingForMs: 0 });
  });

  it('counts two agents in one IDC as one observer with the healthier vote', () => {
    const rig = new Rig([...THREE, { agent: 'agent-a2', idc: 'a' }]);
    rig.report('agent-a', { clusters: [said('DOWN')] });
    rig.report('agent-a2', { clusters: [said('UP')] });
    const { votes, observers } = rig.snapshot;
    expect(Object.keys(votes['a'] ?? {})).toEqual(['agent-a', 'agent-b', 'agent-c']);
    expect(votes['a']?.['agent-a']).toMatchObject({ agent: 'agent-a', state: 'UP' });
    expect(observers.map((o) => o.agent)).toEqual(['agent-a', 'agent-b', 'agent-c']);
  });

  it('takes a goodbye back while another agent of the IDC speaks', () => {
    const rig = new Rig([...THREE, { agent: 'agent-a2', idc: 'a' }]);
    rig.report('agent-a', {});
    rig.now += 10;
    rig.report('agent-a2', {});
    rig.book.goodbye('agent-a', rig.now);
    expect(rig.snapshot.observers[0]?.goodbyeAgeMs).toBeNull();
    rig.book.goodbye('agent-a2', rig.now);
    rig.now += 5;
    expect(rig.snapshot.observers[0]?.goodbyeAgeMs).toBe(5);
  });

  it('has its grace until every observer was heard, or the time has passed', () => {
    const rig = new Rig(THREE);
    for (const agent of ['agent-a', 'agent-b']) rig.report(agent, {});
    expect(rig.snapshot.graceOver).toBe(false);
    rig.now += STALE_AFTER_MS;
    expect(rig.snapshot.graceOver).toBe(true);
    const heard = new Rig(THREE);
    for (const { agent } of THREE) heard.report(agent, {});
    expect(heard.snapshot.graceOver).toBe(true);
  });

  it("believes the target's own agent of a flow, and the youngest other one once that is stale", () => {
    const rig = new Rig(THREE);
    rig.report('agent-b', { flows: [flowUpdate(7, 500)] });
    rig.report('agent-c', { flows: [flowUpdate(99, 10)] });
    expect(rig.snapshot.flows[0]?.lagRecords).toBe(7);
    rig.now += STALE_AFTER_MS;
    rig.report('agent-c', { flows: [flowUpdate(99, 10)] });
    rig.report('agent-a', { flows: [flowUpdate(55, 400)] });
    expect(rig.snapshot.flows[0]?.lagRecords).toBe(99);
  });

  it('knows nothing of a flow or fence that nobody reported', () => {
    const { flows, fences, clusterSettings } = new Rig(THREE).snapshot;
    expect(flows).toMatchObject([{ from: 'a', to: 'b', lagRecords: null, sourceConnector: 'UNKNOWN' }]);
    expect(fences).toMatchObject([{ cluster: 'a', state: 'unknown', ageMs: null }, { cluster: 'b' }]);
    expect(clusterSettings['a']).toEqual({ brokerSessionTimeoutMs: null, electionTimeoutMs: null });
  });

  it('takes the youngest reading of a fence, from goals or from a probe', () => {
    const rig = new Rig(THREE);
    const status = {
      key: fenceKey('orders', 'a'),
      wanted: 'fenced',
      observed: 'fenced',
      reached: true,
      epoch: 8,
      term: 3,
      ageMs: 100,
      detail: '',
      previous: {},
    } as const;
    rig.book.status('agent-a', status, rig.now);
    expect(rig.snapshot.fences[0]).toEqual({
      cluster: 'a',
      state: 'fenced',
      kind: 'topic-config',
      epoch: 8,
      ageMs: 100,
    });
    const open = { group: 'orders', cluster: 'a', state: 'open', kind: null, epoch: null, ageMs: 5 } as const;
    rig.report('agent-b', { fences: [open] });
    expect(rig.snapshot.fences[0]).toMatchObject({ state: 'open', ageMs: 5 });
    rig.book.status('agent-a', { ...status, observed: 'unknown', ageMs: 0 }, rig.now);
    expect(rig.snapshot.fences[0]?.state).toBe('open');
  });

  it('takes the youngest word on a consumer group, aged to now; what nobody read is left out', () => {
    const rig = new Rig(THREE);
    const said = { group: 'orders', cluster: 'a', consumerGroup: 'billing', committedAgeMs: null };
    rig.report('agent-a', { consumerGroups: [{ ...said, lagRecords: 7, observedAgeMs: 500 }] });
    rig.report('agent-b', { consumerGroups: [{ ...said, lagRecords: 9, observedAgeMs: 20, committedAgeMs: 1_000 }] });
    rig.now += 30;
    expect(rig.lags.of('orders')).toEqual([
      { cluster: 'a', consumerGroup: 'billing', lagRecords: 9, observedAgeMs: 50, committedAgeMs: 1_030 },
    ]);
    expect(rig.lags.of('other')).toEqual([]);
  });

  it('refuses an unknown group', () => {
    expect(() => new Rig(THREE).builder.build('other', null)).toThrow(/not configured/);
  });
});

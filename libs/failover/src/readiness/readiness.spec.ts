import { describe, expect, it } from 'vitest';
import type { ClusterSettings, FencingFacts, FlowSettings, Snapshot } from '../matrix/facts.js';
import { defaultPolicy } from '../matrix/policy.js';
import { sampleFlow, sampleSnapshot } from '../simulate/sample-snapshot.js';
import { readiness } from './readiness.js';
import type { ReadinessInput, ReadinessLevel } from './types.js';

const fencing: FencingFacts = {
  authorizer: true,
  denyByDefault: true,
  agentIsSuperUser: true,
  writers: [],
  offers: [{ kind: 'acl', usable: true, reason: '' }],
};
const topic = { topic: 'orders', partitions: 6, replicationFactor: 3, minIsr: 2, maxMessageBytes: 1_048_588 };
const cluster = (over: Partial<ClusterSettings> = {}): ClusterSettings => ({
  brokerSessionTimeoutMs: 9_000,
  electionTimeoutMs: 1_000,
  fencing,
  initialRebalanceDelayMs: 0,
  topics: [topic],
  ...over,
});
const GOOD_CONNECTOR = {
  'refresh.topics.interval.seconds': '30',
  'refresh.groups.interval.seconds': '30',
  'emit.checkpoints.interval.seconds': '5',
  'producer.override.delivery.timeout.ms': '10000',
  'offset-syncs.topic.location': 'target',
};
const flow = (over: Partial<FlowSettings> = {}): FlowSettings => ({
  from: 'a',
  to: 'b',
  syncsTopicAcls: false,
  excludesMaxMessageBytes: true,
  foreignTopics: [],
  connectorConfig: GOOD_CONNECTOR,
  ...over,
});
const back = sampleFlow({ from: 'b', to: 'a', sourceConnector: 'STOPPED', checkpointConnector: 'STOPPED' });
const good = (over: Partial<Snapshot> = {}): Snapshot =>
  sampleSnapshot({
    flows: [sampleFlow(), back],
    fences: [{ cluster: 'b', state: 'fenced', kind: 'acl', epoch: 1, ageMs: 0 }],
    clusterSettings: { a: cluster(), b: cluster() },
    flowSettings: [flow()],
    ...over,
  });
const input = (snapshot: Snapshot, over: Partial<ReadinessInput> = {}): ReadinessInput => ({
  snapshot,
  policy: defaultPolicy,
  decision: { blockers: [], loss: { knownRecords: 12, estimatedRecords: 12, atLeast: false } },
  consumerGroups: ['billing'],
  consumers: [
    { cluster: 'a', consumerGroup: 'billing', lagRecords: 10 },
    { cluster: 'b', consumerGroup: 'billing', lagRecords: 60 },
  ],
  clients: { known: 1, warnings: [] },
  ...over,
});
const flows = (forward: Parameters<typeof sampleFlow>[0], reverse = back) =>
  good({ flows: [sampleFlow(forward), reverse] });
const settings = (b: Partial<ClusterSettings>) => good({ clusterSettings: { a: cluster(), b: cluster(b) } });
const gap = { topic: 'orders', partition: 3, sourceEnd: 10, replicated: 40, sourceEndAgeMs: 0, replicatedAgeMs: 0 };

type Row = readonly [id: string, level: ReadinessLevel, what: RegExp, given: ReadinessInput];
const ROWS: readonly Row[] = [
  [
    'failover-blocked',
    'blocker',
    /TARGET_NOT_FIT: b is down/,
    input(good(), {
      decision: {
        blockers: [{ name: 'TARGET_NOT_FIT', detail: 'b is down', liftedBy: 'mend b' }],
        loss: { knownRecords: 0, estimatedRecords: 0, atLeast: false },
      },
    }),
  ],
  [
    'config-center-writable',
    'blocker',
    /read-only/,
    input(good({ configCenter: { writableAgeMs: null, error: 'read-only' } })),
  ],
  [
    'config-center-writable',
    'blocker',
    /60.0 s ago/,
    input(good({ configCenter: { writableAgeMs: 60_000, error: null } })),
  ],
  [
    'config-center-writable',
    'unknown',
    /tried yet/,
    input(good({ configCenter: { writableAgeMs: null, error: null } })),
  ],
  ['flow-running', 'blocker', /does not copy: source FAILED/, input(flows({ sourceConnector: 'FAILED' }))],
  ['flow-running', 'warn', /no checkpoints/, input(flows({ checkpointConnector: 'STOPPED' }))],
  ['flow-running', 'unknown', /UNKNOWN/, input(flows({ sourceConnector: 'UNKNOWN' }))],
  ['flow-alive', 'warn', /heartbeat 90.0 s/, input(flows({ heartbeatAgeMs: 90_000 }))],
  ['flow-alive', 'unknown', /no heartbeat/, input(flows({ heartbeatAgeMs: null }))],
  ['way-back-prepared', 'warn', /does not exist/, input(flows({}, { ...back, sourceConnector: 'ABSENT' }))],
  [
    'way-back-prepared',
    'blocker',
    /b to a is RUNNING/,
    input(flows({}, { ...back, sourceConnector: 'RUNNING', naming: 'identity' } as typeof back)),
  ],
  ['way-back-prepared', 'unknown', /nobody has seen/, input(good({ flows: [sampleFlow()] }))],
  ['silent-gap', 'blocker', /orders-3/, input(flows({ perPartition: [gap] }))],
  ['fence-copied', 'blocker', /topic ACLs/, input(good({ flowSettings: [flow({ syncsTopicAcls: true })] }))],
  [
    'fence-copied',
    'blocker',
    /max.message.bytes/,
    input(good({ flowSettings: [flow({ excludesMaxMessageBytes: false })] })),
  ],
  ['fence-copied', 'unknown', /not read/, input(good({ flowSettings: [] }))],
  ['foreign-topics', 'blocker', /reaches other/, input(good({ flowSettings: [flow({ foreignTopics: ['other'] })] }))],
  ['fence-offered', 'warn', /b offers no fence/, input(settings({ fencing: { ...fencing, offers: [] } }))],
  ['fence-offered', 'warn', /allow.everyone/, input(settings({ fencing: { ...fencing, denyByDefault: false } }))],
  ['fence-offered', 'unknown', /not looked at/, input(good({ clusterSettings: {} }))],
  [
    'standby-fenced',
    'warn',
    /b is open/,
    input(good({ fences: [{ cluster: 'b', state: 'open', kind: null, epoch: null, ageMs: 0 }] })),
  ],
  [
    'observers',
    'warn',
    /silent observers: agent-b/,
    input(good({ observers: good().observers.map((o) => (o.agent === 'agent-b' ? { ...o, ageMs: null } : o)) })),
  ],
  ['rebalance-delay', 'warn', /3.0 s/, input(settings({ initialRebalanceDelayMs: 3_000 }))],
  ['rebalance-delay', 'unknown', /not known/, input(settings({ initialRebalanceDelayMs: null }))],
  [
    'consumer-positions',
    'warn',
    /billing has no position on b/,
    input(good(), { consumers: [{ cluster: 'a', consumerGroup: 'billing', lagRecords: 1 }] }),
  ],
  ['client-settings', 'warn', /acks=1/, input(good(), { clients: { known: 1, warnings: ['acks=1: lost'] } })],
  ['client-settings', 'unknown', /could not be read/, input(good(), { clients: null })],
  ['topics-equal', 'blocker', /partitions 6 on a, 3 on b/, input(settings({ topics: [{ ...topic, partitions: 3 }] }))],
  ['topics-equal', 'warn', /minIsr 2 on a, 1 on b/, input(settings({ topics: [{ ...topic, minIsr: 1 }] }))],
  ['topics-equal', 'warn', /does not exist on b/, input(settings({ topics: [] }))],
  ['topics-equal', 'unknown', /not compared/, input(good({ clusterSettings: {} }))],
  [
    'connector-config',
    'warn',
    /refresh.topics.interval.seconds is 600 \(default\)/,
    input(good({ flowSettings: [flow({ connectorConfig: { 'offset-syncs.topic.location': 'target' } })] })),
  ],
  [
    'connector-config',
    'warn',
    /syncs lie on the source/,
    input(
      good({
        flowSettings: [flow({ connectorConfig: { ...GOOD_CONNECTOR, 'offset-syncs.topic.location': 'source' } })],
      }),
    ),
  ],
];

describe('readiness', () => {
  it('of a group where all is well is ready, every line ok', () => {
    const found = readiness(input(good()));
    expect(found.lines.filter((l) => l.level !== 'ok')).toEqual([]);
    expect(found).toMatchObject({ ready: true, level: 'ok' });
  });

  it.each(ROWS)('%s: %s, %s', (id, level, what, given) => {
    const found = readiness(given);
    const lines = found.lines.filter((l) => l.id === id && l.level === level);
    expect(lines.map((l) => l.what).join('\n')).toMatch(what);
    expect(lines.every((l) => (l.fix ?? '').length > 3)).toBe(true);
    expect(found.ready).toBe(level !== 'blocker');
    expect(found.lines[0]?.level).toBe(level);
  });

  it('takes a fenced limit for what it is', () => {
    expect(readiness(input(settings({ topics: [{ ...topic, maxMessageBytes: 1 }] }))).level).toBe('ok');
  });

  it('says what a failover would cost now', () => {
    expect(readiness(input(good())).ifItFailedOverNow).toEqual({
      windowMs: 60_000,
      rtoMs: 63_000,
      rpoRecords: 12,
      rpoMs: 400,
      rereads: [{ consumerGroup: 'billing', records: 62 }],
    });
  });
});

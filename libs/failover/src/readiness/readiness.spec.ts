import { describe, expect, it } from 'vitest';
import type {
  ClusterSettings,
  FencingFacts,
  FlowSettings,
  SilentGap,
  Snapshot,
  TopicSettings,
} from '../matrix/facts.js';
import { compilePolicy, defaultPolicy } from '../matrix/policy.js';
import { sampleFlow, sampleGroup, sampleSnapshot, sampleVotes } from '../simulate/sample-snapshot.js';
import { readiness } from './readiness.js';
import type { ReadinessInput, ReadinessLevel } from './types.js';

const fencing: FencingFacts = {
  authorizer: true,
  denyByDefault: true,
  agentIsSuperUser: true,
  writers: [],
  offers: [{ kind: 'acl', usable: true, reason: '' }],
};
const MIB = 1024 ** 2;
const topic = {
  topic: 'orders',
  partitions: 6,
  replicationFactor: 3,
  minIsr: 2,
  maxMessageBytes: 1_048_588,
  retentionMs: 604_800_000,
  retentionBytes: -1,
};
const cluster = (over: Partial<ClusterSettings> = {}): ClusterSettings => ({
  brokerSessionTimeoutMs: 9_000,
  electionTimeoutMs: 1_000,
  fencing,
  initialRebalanceDelayMs: 0,
  topics: [topic],
  logDirSpace: { broker: 1, freeBytes: 60e9, totalBytes: 100e9 },
  ...over,
});
const GOOD_CONNECTOR = {
  'refresh.topics.interval.seconds': '30',
  'refresh.groups.interval.seconds': '30',
  'emit.checkpoints.interval.seconds': '5',
  'source.admin.request.timeout.ms': '2000',
  'source.admin.default.api.timeout.ms': '3000',
  'source.consumer.request.timeout.ms': '2500',
  'source.consumer.default.api.timeout.ms': '3000',
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
const strict = compilePolicy({ ...defaultPolicy, fencing: 'strict' });
const group = (armed: boolean, mode: 'auto' | 'observe' = 'auto') =>
  good({ group: sampleGroup({ armed: { a: armed }, mode }) });
const back = sampleFlow({ from: 'b', to: 'a', sourceConnector: 'STOPPED', checkpointConnector: 'STOPPED' });
const copying = sampleFlow({ checkpointAgeMs: 2_000 });
const good = (over: Partial<Snapshot> = {}): Snapshot =>
  sampleSnapshot({
    flows: [copying, back],
    fences: [{ cluster: 'b', state: 'fenced', kind: 'acl', epoch: 1, ageMs: 0 }],
    clusterSettings: { a: cluster(), b: cluster() },
    flowSettings: [flow()],
    ...over,
  });
const input = (snapshot: Snapshot, over: Partial<ReadinessInput> = {}): ReadinessInput => ({
  snapshot,
  policy: defaultPolicy,
  consumerGroups: ['billing'],
  principals: ['User:shop'],
  consumers: [
    { cluster: 'a', consumerGroup: 'billing', lagRecords: 10, committedAgeMs: 500 },
    { cluster: 'b', consumerGroup: 'billing', lagRecords: 60, committedAgeMs: null },
  ],
  clients: { known: 1, warnings: [] },
  ...over,
});
const flows = (forward: Parameters<typeof sampleFlow>[0], reverse = back) =>
  good({ flows: [{ ...copying, ...forward }, reverse] });
const connector = (key: string, value: string) =>
  good({ flowSettings: [flow({ connectorConfig: { ...GOOD_CONNECTOR, [key]: value } })] });
const lacking = (over: Partial<FencingFacts> = {}) =>
  settings({
    fencing: { ...fencing, cannotWrite: [{ group: 'orders', principal: 'User:shop', topic: 'orders' }], ...over },
  });
const missed = (kind: SilentGap['kind'], records: number | null): SilentGap => ({
  topic: 'orders',
  partition: 3,
  kind,
  records,
  downstream: 70,
  ageMs: 5_000,
});
const settings = (b: Partial<ClusterSettings>) => good({ clusterSettings: { a: cluster(), b: cluster(b) } });
/** Of orders-2, orders-3 and so on, by how many records the copy is behind; null: not known. */
const bounded = (over: Partial<TopicSettings>, behind: readonly (number | null)[]) =>
  good({
    clusterSettings: { a: cluster({ topics: [{ ...topic, maxMessageBytes: MIB, ...over }] }), b: cluster() },
    flows: [
      {
        ...copying,
        lagMs: 90_000,
        perPartition: behind.map((records, i) => ({
          ...gap,
          partition: 2 + i,
          sourceEnd: 100,
          replicated: records === null ? null : 100 - records,
        })),
      },
      back,
    ],
  });
const disk = (freeBytes: number) => ({ broker: 2, freeBytes, totalBytes: 100e9 });
const gap = { topic: 'orders', partition: 3, sourceEnd: 10, replicated: 40, sourceEndAgeMs: 0, replicatedAgeMs: 0 };

type Row = readonly [id: string, level: ReadinessLevel, what: RegExp, given: ReadinessInput];
const ROWS: readonly Row[] = [
  [
    'failover-blocked',
    'blocker',
    /TARGET_NOT_FIT: agent-b \(b\)/,
    input(good({ votes: { ...good().votes, b: sampleVotes({ a: 'up', b: 'no-service', c: 'up' }) } })),
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
    input(good({ leading: false, configCenter: { writableAgeMs: null, error: null } })),
  ],
  ['self-fence', 'blocker', /not armed: agent-a has not confirmed/, input(group(false), { policy: strict })],
  ['self-fence', 'warn', /not armed: mode is observe/, input(group(false, 'observe'), { policy: strict })],
  ['flow-running', 'blocker', /does not copy: source FAILED/, input(flows({ sourceConnector: 'FAILED' }))],
  [
    'flow-running',
    'blocker',
    /source FAILED, checkpoint RUNNING; a-b-src task 0 failed: Boom$/,
    input(flows({ sourceConnector: 'FAILED', failures: [{ connector: 'a-b-src', task: 0, trace: 'Boom' }] })),
  ],
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
  ['way-back-prepared', 'unknown', /nobody has seen/, input(good({ flows: [copying] }))],
  [
    'way-back-prepared',
    'warn',
    /checkpoint connector RUNNING/,
    input(flows({}, { ...back, checkpointConnector: 'RUNNING' })),
  ],
  [
    'checkpoint-age',
    'warn',
    /billing move, the last checkpoint is 90.0 s old/,
    input(flows({ checkpointAgeMs: 90_000 })),
  ],
  ['checkpoint-age', 'unknown', /no checkpoint was seen/, input(good({ flows: [sampleFlow(), back] }))],
  ['retention-over-lag', 'blocker', /removed before they are copied/, input(flows({ lagMs: 700_000_000 }))],
  ['retention-over-lag', 'warn', /behind/, input(flows({ lagMs: 400_000_000 }))],
  [
    'retention-bytes-over-lag',
    'warn',
    /^orders keeps 10.0 MiB of each partition, 20 records of orders-3 are not copied yet: at most 20.0 MiB, and may be/,
    input(bounded({ retentionBytes: 10 * MIB }, [1, 20])),
  ],
  [
    'retention-bytes-over-lag',
    'unknown',
    /1 records of orders-2 are not copied yet: how large they may be is not seen/,
    input(bounded({ retentionBytes: 10 * MIB, maxMessageBytes: null }, [1])),
  ],
  ['silent-gap', 'blocker', /orders-3/, input(flows({ perPartition: [gap] }))],
  [
    'silent-gap',
    'warn',
    /^41 records were removed from the source .*orders-3/,
    input(flows({ gaps: [missed('purged', 41)] })),
  ],
  [
    'silent-gap',
    'warn',
    /at least 0 records of a topic that was deleted/,
    input(flows({ gaps: [missed('recreated', null)] })),
  ],
  ['silent-gap', 'warn', /7 records were copied twice/, input(flows({ gaps: [missed('recopied', 7)] }))],
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
  ['principals-may-write', 'blocker', /no ACL on b lets User:shop write orders/, input(lacking())],
  ['principals-may-write', 'unknown', /no ACL on b lets/, input(lacking({ denyByDefault: null }))],
  ['principals-may-write', 'unknown', /nobody is named/, input(good(), { principals: [] })],
  ['disk-space', 'warn', /b, broker 2: 10 % .* 9.3 GiB/, input(settings({ logDirSpace: disk(10e9) }))],
  ['disk-space', 'blocker', /b, broker 2: 4 %/, input(settings({ logDirSpace: disk(4e9) }))],
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
    input(good(), { consumers: [{ cluster: 'a', consumerGroup: 'billing', lagRecords: 1, committedAgeMs: 1 }] }),
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
  ['connector-config', 'unknown', /were not read/, input(good({ flowSettings: [] }))],
  [
    'connector-config',
    'warn',
    /source.admin.default.api.timeout.ms is 60000.*stops so much later/,
    input(connector('source.admin.default.api.timeout.ms', '60000')),
  ],
  [
    'connector-config',
    'warn',
    /orders takes records of 5000000 bytes, MirrorMaker's producer sends 1048576/,
    input(good({ clusterSettings: { a: cluster({ topics: [{ ...topic, maxMessageBytes: 5e6 }] }), b: cluster() } })),
  ],
  ['connector-config', 'warn', /syncs lie on the source/, input(connector('offset-syncs.topic.location', 'source'))],
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

  it('has no blocker where disks are not seen, and says so', () => {
    const { logDirSpace: _, ...unseen } = cluster();
    const found = readiness(input(good({ clusterSettings: { a: cluster(), b: unseen } })));
    expect(found).toMatchObject({ ready: true, level: 'unknown' });
    expect(found.lines[0]?.what).toBe('free disk of b is not seen');
  });

  it('tells how long a topic without a copy is only young', () => {
    const line = readiness(input(settings({ topics: [] }))).lines.find((l) => l.id === 'topics-equal');
    expect(line?.fix).toMatch(/within 30 s .*`topics` do not reach orders/);
  });

  it('looks for copies under the name that MirrorMaker gives them, and for the original beside them', () => {
    const renamed = (...names: string[]) => {
      const b = cluster({ topics: names.map((name) => ({ ...topic, topic: name })) });
      const a = cluster({ topics: [topic, { ...topic, topic: 'b.orders' }] });
      const forward = { ...copying, naming: 'default' as const };
      return readiness(input(good({ flows: [forward, back], clusterSettings: { a, b } })))
        .lines.filter((l) => l.id === 'topics-equal')
        .map((l) => `${l.level} ${l.what}`);
    };
    expect(renamed('a.orders', 'orders')).toEqual(['ok 1 topics are alike on both sides']);
    expect(renamed('orders')).toEqual(['warn a.orders does not exist on b']);
    expect(renamed('a.orders')[0]).toMatch(/^blocker orders itself does not exist on b/);
  });

  it('asks for no checkpoint while no group is at work', () => {
    const idle = { cluster: 'a', consumerGroup: 'billing', lagRecords: 10, committedAgeMs: 90_000 };
    const found = readiness(
      input(flows({ checkpointAgeMs: 3_600_000 }), { consumers: [idle, { ...idle, cluster: 'b' }] }),
    );
    expect(found.level).toBe('ok');
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

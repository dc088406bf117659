import { describe, expect, it } from 'vitest';
import { ConnectError, type ClusterLayout, type ConnectorOffset, type ConnectorStatus } from '#kafka';
import { connectorFailureText, TRACE_CHARACTERS } from '#failover';
import { connectorState, failuresOf, readFlowSettings } from './connectors.js';
import { KnownTopics } from './known-topics.js';
import { OffsetTable } from './offset-table.js';
import { ReplicationProbe, type FlowContext, type FlowWorker } from './replication.probe.js';

const running: ConnectorStatus = {
  name: 'x',
  state: 'RUNNING',
  worker: 'w',
  trace: null,
  tasks: [{ id: 0, state: 'RUNNING', trace: null }],
};
const silent = new ConnectError('no answer', { kind: 'deadline', status: null, stateUnknown: false });

/** What a worker would say; `null` offsets: it does not answer. */
const worker = (offsets: readonly ConnectorOffset[] | null): FlowWorker => ({
  status: () => (offsets === null ? Promise.reject(silent) : Promise.resolve(running)),
  offsets: () => (offsets === null ? Promise.reject(silent) : Promise.resolve(offsets)),
});
const n = (partition: number, offset: number, cluster = 'a'): ConnectorOffset => ({
  cluster,
  topic: 'orders',
  partition,
  offset,
});

function context(ends: readonly number[], atMs: number): FlowContext {
  const table = new OffsetTable();
  ends.forEach((end, p) => table.set('orders', p, end, atMs));
  table.set('foreign', 0, 1_000, atMs);
  return {
    source: { ends: table, known: new KnownTopics(), topics: ['orders', 'foreign'] },
    isOfGroup: (t) => t !== 'foreign',
    heartbeatAtMs: null,
  };
}
const probe = (): ReplicationProbe => new ReplicationProbe({ from: 'a', to: 'b', source: 's', checkpoint: 'c' });

describe('ReplicationProbe', () => {
  it('sums E − (N + 1) over the partitions of the group only', async () => {
    const p = probe();
    await p.ask(worker([n(0, 99), n(1, 39), n(1, 7, 'other')]), 'a', 1_000, 100);
    const facts = p.facts(context([100, 50], 1_000), 1_000);
    expect(facts).toMatchObject({ lagRecords: 10, observedAgeMs: 0, sourceConnector: 'RUNNING' });
    expect(facts.perPartition.map((x) => [x.sourceEnd, x.replicated])).toEqual([
      [100, 100],
      [50, 40],
    ]);
  });

  it('says unknown, not zero, before the worker or the source ever answered', async () => {
    expect(probe().facts(context([5], 0), 0).lagRecords).toBeNull();
    const p = probe();
    await p.ask(worker([]), 'a', 0, 100);
    expect(
      p.facts({ ...context([], 0), source: { ends: new OffsetTable(), known: new KnownTopics(), topics: null } }, 0)
        .lagRecords,
    ).toBeNull();
  });

  it('takes a partition without an entry for not copied at all', async () => {
    const p = probe();
    await p.ask(worker([n(0, 9)]), 'a', 0, 100);
    expect(p.facts(context([10, 7], 0), 0).lagRecords).toBe(7);
  });

  it('keeps what it knew when both sides fall silent, and lets it age', async () => {
    const p = probe();
    await p.ask(worker([n(0, 89)]), 'a', 1_000, 100);
    await p.ask(worker(null), 'a', 5_000, 100);
    const facts = p.facts(context([100], 2_000), 6_000);
    expect(facts).toMatchObject({ lagRecords: 10, observedAgeMs: 5_000, sourceConnector: 'UNKNOWN' });
    expect(facts.perPartition[0]).toMatchObject({ sourceEndAgeMs: 4_000, replicatedAgeMs: 5_000 });
  });

  it('forgets an entry that was deleted', async () => {
    const p = probe();
    await p.ask(worker([n(0, 9)]), 'a', 0, 100);
    await p.ask(worker([]), 'a', 1, 100);
    expect(p.facts(context([10], 1), 1).lagRecords).toBe(10);
  });
});

/** What a source says: the partitions of each topic, or the error in its place. */
function said(topics: Readonly<Record<string, number | { errorCode: number }>>): ClusterLayout {
  const entries = Object.entries(topics).map(([name, of]) => {
    const count = typeof of === 'number' ? of : 0;
    const partitions = Array.from({ length: count }, (_, partition) => ({
      partition,
      leader: 1,
      replicas: [1],
      isr: [1],
    }));
    return [name, { name, internal: false, errorCode: typeof of === 'number' ? 0 : of.errorCode, partitions }] as const;
  });
  return { clusterId: 'A', brokers: [], topics: new Map(entries) };
}
const GONE = { errorCode: 3 };
const NOT_ALLOWED = { errorCode: 29 };

describe('ReplicationProbe, of what was deleted on the source', () => {
  const old = { cluster: 'a', topic: 'old', partition: 0, offset: 4 };

  async function lagOf(offsets: readonly ConnectorOffset[], source: (known: KnownTopics) => void) {
    const p = probe();
    await p.ask(worker(offsets), 'a', 1_000, 100); // answered by 1100
    await p.ask(worker(offsets), 'a', 3_000, 100);
    const c = context([100], 3_000);
    source(c.source.known);
    return p.facts(c, 3_000);
  }

  it('leaves out the entry of a topic that the source, asked by name, does not know', async () => {
    const facts = await lagOf([n(0, 89), old], (known) => {
      known.list(said({ orders: 1 }), 2_000);
      known.named(said({ old: GONE }), 2_000);
    });
    expect(facts).toMatchObject({ lagRecords: 10, observedAgeMs: 0 });
    expect(facts.perPartition.map((x) => x.topic)).toEqual(['orders']);
  });

  it.each([
    ['no list was ever read', () => undefined],
    ['the list lacks it, and nothing more is known', (k: KnownTopics) => k.list(said({ orders: 1 }), 2_000)],
    [
      'the agent may not see it',
      (k: KnownTopics) => {
        k.list(said({ orders: 1 }), 2_000);
        k.named(said({ old: NOT_ALLOWED }), 2_000);
      },
    ],
    [
      'the entry may be newer than what the source said',
      (k: KnownTopics) => {
        k.list(said({ orders: 1 }), 1_050);
        k.named(said({ old: GONE }), 1_050);
      },
    ],
    [
      'the topic is there again',
      (k: KnownTopics) => {
        k.named(said({ old: GONE }), 1_500);
        k.list(said({ orders: 1, old: 1 }), 2_000);
      },
    ],
  ])('says unknown while %s', async (_, source) => {
    expect((await lagOf([n(0, 89), old], source)).lagRecords).toBeNull();
  });

  it('leaves out partitions beyond those that a remade topic has, and no new one', async () => {
    const entries = [n(0, 89), n(1, 7)];
    expect((await lagOf(entries, (k) => k.list(said({ orders: 1 }), 2_000))).lagRecords).toBe(10);
    expect((await lagOf(entries, (k) => k.list(said({ orders: 1 }), 900))).lagRecords).toBeNull();
    expect((await lagOf(entries, (k) => k.list(said({ orders: { errorCode: 5 } }), 2_000))).lagRecords).toBeNull();
  });

  it('counts an entry that moves after the source denied it: the topic was made anew', async () => {
    const p = probe();
    const c = context([100], 3_000);
    c.source.known.list(said({ orders: 1 }), 2_000);
    c.source.known.named(said({ old: GONE }), 2_000);
    await p.ask(worker([n(0, 89), old]), 'a', 1_000, 100);
    expect(p.facts(c, 3_000).lagRecords).toBe(10);
    await p.ask(worker([n(0, 89), { ...old, offset: 5 }]), 'a', 3_000, 100);
    expect(p.facts(c, 3_000).lagRecords).toBeNull();
  });
});

describe('OffsetTable', () => {
  it('is cut to the partitions that a topic still has, and drops a topic that has none', () => {
    const table = new OffsetTable();
    for (const p of [0, 1, 2]) table.set('orders', p, 10, 0);
    table.set('old', 0, 5, 0);
    table.set('blind', 0, 5, 0);
    table.trim((topic) => ({ orders: 2, old: 0 })[topic] ?? Infinity);
    expect([...table.topics()]).toEqual(['orders', 'blind']);
    expect([table.partitions('orders'), table.value('orders', 1), table.value('orders', 2)]).toEqual([2, 10, null]);
  });
});

describe('connectorState', () => {
  it.each([
    ['ABSENT', null],
    ['RUNNING', running],
    ['FAILED', { ...running, tasks: [{ id: 0, state: 'FAILED', trace: 'x' }] }],
    ['RUNNING', { ...running, state: 'STOPPED' }], // a task is still there: it may copy
    ['STOPPED', { ...running, state: 'STOPPED', tasks: [] }],
    ['UNKNOWN', { ...running, state: 'SOMETHING_NEW', tasks: [] }],
  ] as const)('%s', (state, status) => expect(connectorState(status)).toBe(state));
});

describe('failuresOf', () => {
  const TRACE = [
    'org.apache.kafka.connect.errors.ConnectException: Unrecoverable exception from producer send callback',
    '\tat org.apache.kafka.connect.runtime.WorkerSourceTask.maybeThrow(WorkerSourceTask.java:1)',
    'Caused by: java.util.concurrent.ExecutionException: wrapped',
    '\t... 5 more',
    'Caused by: org.apache.kafka.common.errors.RecordTooLargeException: too large',
  ].join('\n');
  const told = (status: ConnectorStatus): readonly string[] => failuresOf(status).map(connectorFailureText);
  const failed = (id: number, trace: string | null) => ({ id, state: 'FAILED', trace });

  it("are told by the first line and the last cause of Connect's own trace", () => {
    expect(told({ ...running, tasks: [failed(0, 'Boom: why\n\tat x'), failed(1, TRACE)] })).toEqual([
      'x task 0 failed: Boom: why',
      'x task 1 failed: org.apache.kafka.connect.errors.ConnectException: Unrecoverable exception from producer send callback; Caused by: org.apache.kafka.common.errors.RecordTooLargeException: too large',
    ]);
    expect(told({ ...running, state: 'FAILED', trace: 'Bad: config\nmore', tasks: [] })).toEqual([
      'x failed: Bad: config',
    ]);
    expect(told({ ...running, state: 'FAILED', tasks: [] })).toEqual(['x failed: no trace']);
  });

  it('are bounded, in number and length', () => {
    const long = `${'a'.repeat(5_000)}\nCaused by: ${'b'.repeat(5_000)}`;
    const found = failuresOf({ ...running, tasks: [0, 1, 2, 3, 4, 5].map((id) => failed(id, long)) });
    expect(found.length).toBe(4);
    for (const { trace } of found) expect(trace.length).toBeLessThanOrEqual(TRACE_CHARACTERS);
  });

  it('are none of a connector that runs, is stopped, or is not there', () => {
    expect(failuresOf(running)).toEqual([]);
    expect(failuresOf({ ...running, state: 'STOPPED', tasks: [failed(0, 'x')] })).toEqual([]);
    expect(failuresOf(null)).toEqual([]);
  });

  it('stand among what a round found out about the flow, until Connect says otherwise', async () => {
    const p = probe();
    const fails: FlowWorker = {
      ...worker([]),
      status: (name) => Promise.resolve({ ...running, name, tasks: [failed(0, 'Boom')] }),
    };
    await p.ask(fails, 'a', 0, 100);
    expect(p.facts(context([1], 0), 0)).toMatchObject({
      sourceConnector: 'FAILED',
      failures: [
        { connector: 's', task: 0, trace: 'Boom' },
        { connector: 'c', task: 0, trace: 'Boom' },
      ],
    });
    await p.ask(worker([]), 'a', 1, 100);
    expect(p.facts(context([1], 1), 1)).not.toHaveProperty('failures');
  });
});

describe('readFlowSettings', () => {
  const flow = { from: 'a', to: 'b' };
  const isOfGroup = (t: string): boolean => t === 'orders';
  const read = (config: Readonly<Record<string, string>>, topics: readonly string[] = []) =>
    readFlowSettings(flow, { source: config, checkpoint: null }, topics, isOfGroup);

  it("assumes Kafka's own defaults, which are the dangerous ones", () => {
    expect(read({ topics: 'orders' })).toMatchObject({ syncsTopicAcls: true, excludesMaxMessageBytes: false });
  });

  it('understands the escaped patterns of the exclude list', () => {
    const config = {
      'sync.topic.acls.enabled': 'false',
      'config.properties.exclude': 'min\\.insync\\.replicas, max\\.message\\.bytes',
    };
    expect(read(config)).toMatchObject({ syncsTopicAcls: false, excludesMaxMessageBytes: true });
  });

  it('names topics that the connector reaches and the group does not hold', () => {
    const topics = [
      'orders',
      'orders-archive',
      'other',
      '__consumer_offsets',
      'heartbeats',
      'x.internal',
      'pointsman-canary',
    ];
    expect(read({ topics: 'orders.*' }, topics).foreignTopics).toEqual(['orders-archive']);
    expect(read({}, topics).foreignTopics).toEqual(['orders-archive', 'other', 'pointsman-canary']);
  });

  it('tells of each connector the keys that it reads itself, and never a password', () => {
    const source = { 'refresh.topics.interval.seconds': '5', 'source.cluster.sasl.jaas.config': 'secret' };
    const checkpoint = { 'refresh.topics.interval.seconds': '9', 'emit.checkpoints.interval.seconds': '1' };
    expect(readFlowSettings(flow, { source, checkpoint }, [], isOfGroup).connectorConfig).toEqual({
      'refresh.topics.interval.seconds': '5',
      'emit.checkpoints.interval.seconds': '1',
    });
  });

  it('says unknown without a configuration', () => {
    expect(readFlowSettings(flow, { source: null, checkpoint: null }, [], isOfGroup)).toMatchObject({
      syncsTopicAcls: null,
      excludesMaxMessageBytes: null,
    });
  });
});

import fc from 'fast-check';
import type { ClusterFields, ClusterReport, PartitionCounts, ProbeErrorKind } from '#health';
import {
  FENCE_KINDS,
  type Command,
  type CommandBody,
  type CommandOutput,
  type CommandResult,
  type FencingFacts,
  type Goal,
  type GoalStatus,
} from '#failover';
import type { AgentHello, AgentReport, ControllerWelcome, FlowUpdate, GoalAssignment, PartitionUpdate } from '#rpc';

/** Arbitrary domain values of every shape that travels. Used by the round-trip properties only. */
const name = fc.string({ maxLength: 8 });
const names = fc.array(name, { maxLength: 3 });
const age = fc.nat(); // whole milliseconds: a receiver rounds
const count = fc.nat();
const big = fc.maxSafeNat();
const offset = fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER });
const orNull = <T>(a: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(a, { nil: null });

const connectors = fc.record({ source: name, checkpoint: name, heartbeat: name });
const counts: fc.Arbitrary<PartitionCounts> = fc.record({
  total: count,
  offline: count,
  underReplicated: count,
  underMinIsr: count,
});
const errorKind = fc.constantFrom<ProbeErrorKind>(
  'refused',
  'reset',
  'no_route',
  'deadline',
  'dns',
  'tls',
  'authentication',
  'authorization',
  'quota',
  'broker',
  'other',
);

const fields: fc.Arbitrary<ClusterFields> = fc.record({
  expectedBrokers: count,
  answeringBrokers: count,
  activeBrokers: orNull(count),
  clusterId: orNull(name),
  quorumLeader: orNull(fc.integer()),
  hotStandby: orNull(counts),
  otherTopics: orNull(counts),
  canarySampledBrokers: count,
  canaryOkBrokers: count,
  canaryLatencyMs: orNull(age),
  canarySuccessRatio: orNull(age),
  endOffsetsAdvancing: orNull(fc.boolean()),
  errorKinds: fc.array(errorKind, { maxLength: 3 }),
});

const clusterReport: fc.Arbitrary<ClusterReport> = fc
  .record({
    cluster: name,
    down: fc.constantFrom('UNREACHABLE' as const, 'NO_SERVICE' as const),
    state: fc.constantFrom('UP' as const, 'DEGRADED' as const, 'DOWN' as const, 'ABSTAIN' as const),
    refused: fc.boolean(),
    marks: fc.uniqueArray(
      fc.constantFrom('NO_QUORUM' as const, 'RECOVERING' as const, 'GRAY' as const, 'MISCONFIGURED' as const),
    ),
    reasons: names,
    sampleAgeMs: age,
    failingForMs: age,
    refusedForMs: age,
    lastAnsweredAgeMs: orNull(age),
    fields,
  })
  .map(({ down, refused, ...r }) => ({
    ...r,
    kind: r.state === 'DOWN' ? down : null,
    everyBrokerRefused: r.state === 'DOWN' && down === 'UNREACHABLE' && refused,
  }));

const partition: fc.Arbitrary<PartitionUpdate> = fc
  .record({
    topic: name,
    partition: count,
    sourceEnd: orNull(big),
    replicated: orNull(big),
    sourceEndCurrent: fc.boolean(),
    replicatedCurrent: fc.boolean(),
    a: age,
    b: age,
  })
  .map(({ a, b, ...p }) => ({
    ...p,
    sourceEndAgeMs: p.sourceEnd === null || p.sourceEndCurrent ? null : a,
    replicatedAgeMs: p.replicated === null || p.replicatedCurrent ? null : b,
  }));

const connectorState = fc.constantFrom(
  'RUNNING' as const,
  'PAUSED' as const,
  'STOPPED' as const,
  'FAILED' as const,
  'UNASSIGNED' as const,
  'ABSENT' as const,
  'UNKNOWN' as const,
);

const flow: fc.Arbitrary<FlowUpdate> = fc.record({
  group: name,
  from: name,
  to: name,
  lagRecords: orNull(big),
  lagMs: orNull(age),
  heartbeatAgeMs: orNull(age),
  observedAgeMs: orNull(age),
  sourceConnector: connectorState,
  checkpointConnector: connectorState,
  whole: fc.boolean(),
  partitions: fc.array(partition, { maxLength: 3 }),
  roundAgeMs: age,
});

const fenceKind = fc.constantFrom(...FENCE_KINDS);
const fencing: fc.Arbitrary<FencingFacts> = fc.record({
  authorizer: orNull(fc.boolean()),
  denyByDefault: orNull(fc.boolean()),
  agentIsSuperUser: orNull(fc.boolean()),
  writers: names,
  offers: fc.array(fc.record({ kind: fenceKind, usable: fc.boolean(), reason: name }), { maxLength: 3 }),
});

export const anyReport: fc.Arbitrary<AgentReport> = fc.record({
  full: fc.boolean(),
  self: fc.record({ healthy: fc.boolean(), reasons: names }),
  clusters: fc.array(clusterReport, { maxLength: 2 }),
  flows: fc.array(flow, { maxLength: 2 }),
  fences: fc.array(
    fc.record({
      group: name,
      cluster: name,
      state: fc.constantFrom(
        'fenced' as const,
        'open' as const,
        'partial' as const,
        'foreign' as const,
        'unknown' as const,
      ),
      kind: orNull(fenceKind),
      epoch: orNull(big),
      ageMs: orNull(age),
    }),
    { maxLength: 2 },
  ),
  clusterSettings: fc.array(
    fc.record(
      { cluster: name, brokerSessionTimeoutMs: orNull(age), electionTimeoutMs: orNull(age), fencing },
      { requiredKeys: ['cluster', 'brokerSessionTimeoutMs', 'electionTimeoutMs'] },
    ),
    { maxLength: 2 },
  ),
  flowSettings: fc.array(
    fc.record({
      group: name,
      from: name,
      to: name,
      syncsTopicAcls: orNull(fc.boolean()),
      excludesMaxMessageBytes: orNull(fc.boolean()),
      foreignTopics: names,
    }),
    { maxLength: 2 },
  ),
  consumerGroups: fc.array(
    fc.record({
      group: name,
      cluster: name,
      consumerGroup: name,
      lagRecords: orNull(big),
      observedAgeMs: age,
      committedAgeMs: orNull(age),
    }),
    { maxLength: 2 },
  ),
});

const stamp = { group: name, epoch: big, term: big };
const goal: fc.Arbitrary<Goal> = fc.oneof(
  fc.record(
    {
      subject: fc.constant('cluster' as const),
      ...stamp,
      cluster: name,
      state: fc.constantFrom('fenced' as const, 'open' as const),
      topics: names,
      kinds: fc.subarray([...FENCE_KINDS], { minLength: 1 }),
    },
    { requiredKeys: ['subject', 'group', 'epoch', 'term', 'cluster', 'state', 'topics'] },
  ),
  fc.record({
    subject: fc.constant('flow' as const),
    ...stamp,
    from: name,
    to: name,
    state: fc.constantFrom('running' as const, 'stopped' as const),
    connectors,
  }),
);

export const anyGoalAssignment: fc.Arbitrary<GoalAssignment> = fc.record({
  goal,
  role: fc.constantFrom('own' as const, 'stand_in' as const, 'bystander' as const),
});

export const anyGoalStatus: fc.Arbitrary<GoalStatus> = fc
  .record(
    {
      key: name,
      wanted: fc.constantFrom('fenced' as const, 'open' as const, 'running' as const, 'stopped' as const),
      other: fc.constantFrom('partial' as const, 'foreign' as const, 'refused' as const, 'unknown' as const),
      reached: fc.boolean(),
      epoch: big,
      term: big,
      ageMs: age,
      detail: name,
      previous: fc.dictionary(name, orNull(name), { maxKeys: 3, noNullPrototype: true }),
      kind: fenceKind,
    },
    { requiredKeys: ['key', 'wanted', 'other', 'reached', 'epoch', 'term', 'ageMs', 'detail', 'previous'] },
  )
  .map(({ other, ...s }) => ({ ...s, observed: s.reached ? s.wanted : other }));

export const anyHello: fc.Arbitrary<AgentHello> = fc.record({
  protocolVersion: count,
  agent: name,
  idc: name,
  bootId: name,
  highestTerm: big,
  goalsHeld: fc.array(anyGoalAssignment, { maxLength: 3 }),
  clusters: names,
  softwareVersion: name,
});

export const anyWelcome: fc.Arbitrary<ControllerWelcome> = fc.record({
  protocolVersion: count,
  controller: name,
  leader: fc.boolean(),
  term: big,
  leaseTtlMs: count,
  watch: fc.record({
    clusters: fc.array(fc.record({ name, idc: name }), { maxLength: 3 }),
    groups: fc.array(
      fc.record({
        name,
        clusters: names,
        topics: names,
        consumerGroups: names,
        principals: names,
        flows: fc.array(
          fc.record({
            from: name,
            to: name,
            naming: fc.constantFrom('identity' as const, 'default' as const),
            connectors,
          }),
          { maxLength: 2 },
        ),
        active: orNull(name),
        epoch: big,
      }),
      { maxLength: 2 },
    ),
  }),
});

const partitionOffset = fc.record({ topic: name, partition: count, offset });
const partitionOffsets = fc.array(partitionOffset, { maxLength: 3 });

const body: fc.Arbitrary<CommandBody> = fc.oneof(
  fc.record({ kind: fc.constant('read_end_offsets' as const), cluster: name, topics: names }),
  fc.record({
    kind: fc.constant('read_replication_position' as const),
    from: name,
    to: name,
    connectors,
    topics: names,
  }),
  fc.record({ kind: fc.constant('read_group_offsets' as const), cluster: name, groups: names, topics: names }),
  fc.record({
    kind: fc.constant('apply_group_offsets' as const),
    cluster: name,
    group: name,
    offsets: partitionOffsets,
  }),
  fc.record({
    kind: fc.constant('canary' as const),
    cluster: name,
    topic: name,
    principal: fc.constantFrom('agent' as const, 'ordinary' as const),
  }),
  fc.record({
    kind: fc.constant('seed_flow' as const),
    from: name,
    to: name,
    connectors,
    positions: partitionOffsets,
  }),
  fc.record({
    kind: fc.constant('count_records' as const),
    cluster: name,
    ranges: fc.array(fc.record({ topic: name, partition: count, from: count, to: count }), { maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant('translate_group_offsets' as const),
    from: name,
    to: name,
    connectors,
    naming: fc.constantFrom('identity' as const, 'default' as const),
    consumerGroups: names,
    topics: names,
    frozen: fc.array(fc.record({ topic: name, partition: count, n: offset, s: count }), { maxLength: 3 }),
  }),
);

export const anyCommand: fc.Arbitrary<Command> = fc.record({ id: name, ...stamp, deadlineMs: age, body });

const translatedOffset = fc.record({
  group: name,
  topic: name,
  partition: count,
  upstream: count,
  upstreamBy: fc.constantFrom('committed' as const, 'checkpoint' as const),
  upstreamAgeMs: orNull(age),
  offset: orNull(count),
  confidence: fc.constantFrom('EXACT' as const, 'SAFE' as const, 'TIMESTAMP' as const, 'NONE' as const),
  rereadAtMost: orNull(count),
  checkpoint: orNull(fc.record({ upstream: count, downstream: count })),
});

const output: fc.Arbitrary<CommandOutput> = fc.oneof(
  fc.record({
    kind: fc.constant('record_counts' as const),
    counts: fc.array(fc.record({ topic: name, partition: count, records: count, openFrom: orNull(count) }), {
      maxLength: 3,
    }),
  }),
  fc.record({ kind: fc.constant('end_offsets' as const), starts: partitionOffsets, ends: partitionOffsets }),
  fc.record({
    kind: fc.constant('replication_position' as const),
    positions: partitionOffsets,
    via: fc.constantFrom('connect' as const, 'topic' as const),
  }),
  fc.record({
    kind: fc.constant('group_offsets' as const),
    offsets: fc.array(fc.record({ group: name, topic: name, partition: count, offset }), { maxLength: 3 }),
    states: fc.dictionary(
      name,
      fc.constantFrom('EMPTY' as const, 'STABLE' as const, 'REBALANCING' as const, 'DEAD' as const, 'UNKNOWN' as const),
      { maxKeys: 3, noNullPrototype: true },
    ),
  }),
  fc.record({
    kind: fc.constant('applied' as const),
    outcome: fc.constantFrom('applied' as const, 'active' as const, 'unknown_topic' as const),
    offsets: partitionOffsets,
  }),
  fc.record({
    kind: fc.constant('canary' as const),
    accepted: fc.boolean(),
    errorCode: orNull(fc.integer()),
    detail: name,
  }),
  fc.record({
    kind: fc.constant('seeded' as const),
    outcome: fc.constantFrom(
      'seeded' as const,
      'not_stopped' as const,
      'absent' as const,
      'wrong_source' as const,
      'different' as const,
    ),
    equal: count,
    different: partitionOffsets,
    detail: name,
  }),
  fc.record({
    kind: fc.constant('translated_offsets' as const),
    offsets: fc.array(translatedOffset, { maxLength: 3 }),
    topics: fc.array(
      fc.record({ topic: name, sourceTopic: name, sourcePartitions: orNull(count), targetPartitions: count }),
      { maxLength: 3 },
    ),
    syncs: fc.record({ noted: count, pairs: count, readAgeMs: orNull(age), detail: name }),
  }),
);

export const anyCommandResult: fc.Arbitrary<CommandResult> = fc.oneof(
  fc.record({ id: name, ok: fc.constant(true as const), output }),
  fc.record({
    id: name,
    ok: fc.constant(false as const),
    code: fc.constantFrom(
      'refused_term' as const,
      'refused_epoch' as const,
      'expired' as const,
      'unavailable' as const,
      'unsupported' as const,
      'failed' as const,
    ),
    detail: name,
  }),
);

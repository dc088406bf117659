import fc from 'fast-check';
import type { ClusterFields, ClusterReport, PartitionCounts, ProbeErrorKind } from '#health';
import {
  FENCE_KINDS,
  type FencingFacts,
  type Goal,
  type GoalStatus,
  type LeaseGrant,
  type TopicSettings,
} from '#failover';
import type { AgentHello, AgentReport, ControllerWelcome, GoalAssignment } from '#rpc';
import { age, big, count, name, names, orNull, withOptional } from './arbitrary-parts.js';
import { anyFlow } from './flow-arbitraries.js';

/** Arbitrary domain values of every shape that travels. Used by the round-trip properties only. */
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

const fenceKind = fc.constantFrom(...FENCE_KINDS);
const fencing: fc.Arbitrary<FencingFacts> = withOptional(
  {
    authorizer: orNull(fc.boolean()),
    denyByDefault: orNull(fc.boolean()),
    agentIsSuperUser: orNull(fc.boolean()),
    writers: names,
    offers: fc.array(fc.record({ kind: fenceKind, usable: fc.boolean(), reason: name }), { maxLength: 3 }),
  },
  { cannotWrite: fc.array(fc.record({ group: name, principal: name, topic: name }), { minLength: 1, maxLength: 3 }) },
);

const topicSettings: fc.Arbitrary<TopicSettings> = fc.record({
  topic: name,
  partitions: count,
  replicationFactor: orNull(count),
  minIsr: orNull(count),
  maxMessageBytes: orNull(big),
  retentionMs: orNull(fc.oneof(fc.constant(-1), big)),
  retentionBytes: orNull(fc.oneof(fc.constant(-1), big)),
});

export const anyReport: fc.Arbitrary<AgentReport> = fc.record({
  full: fc.boolean(),
  self: fc.record({ healthy: fc.boolean(), reasons: names }),
  clusters: fc.array(clusterReport, { maxLength: 2 }),
  flows: fc.array(anyFlow, { maxLength: 2 }),
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
    withOptional(
      { cluster: name, brokerSessionTimeoutMs: orNull(age), electionTimeoutMs: orNull(age) },
      {
        fencing,
        initialRebalanceDelayMs: age,
        topics: fc.array(topicSettings, { maxLength: 3 }),
        logDirSpace: fc.record({ broker: count, freeBytes: big, totalBytes: big }),
      },
    ),
    { maxLength: 2 },
  ),
  flowSettings: fc.array(
    withOptional(
      {
        group: name,
        from: name,
        to: name,
        syncsTopicAcls: orNull(fc.boolean()),
        excludesMaxMessageBytes: orNull(fc.boolean()),
        foreignTopics: names,
      },
      { connectorConfig: fc.dictionary(name, name, { maxKeys: 3, noNullPrototype: true }) },
    ),
    { maxLength: 2 },
  ),
  selfFences: fc.array(
    fc.record({ group: name, cluster: name, epoch: big, armed: fc.boolean(), applyMs: age, selfFenced: fc.boolean() }),
    { maxLength: 2 },
  ),
  consumerGroups: fc.array(
    withOptional(
      {
        group: name,
        cluster: name,
        consumerGroup: name,
        lagRecords: orNull(big),
        observedAgeMs: age,
        committedAgeMs: orNull(age),
      },
      { members: count },
    ),
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
      deniedGroups: fc.array(name, { minLength: 1, maxLength: 3 }),
      previous: fc.dictionary(name, orNull(name), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
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

export const anyGrant: fc.Arbitrary<LeaseGrant> = fc.record({
  group: name,
  cluster: name,
  epoch: big,
  arm: fc.boolean(),
  selfFenceAfterMs: fc.integer({ min: 1, max: 600_000 }),
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
      deniedGroups: fc.array(name, { minLength: 1, maxLength: 3 }),
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
          withOptional(
            {
              from: name,
              to: name,
              naming: fc.constantFrom('identity' as const, 'default' as const),
              connectors,
            },
            { dedicated: fc.constant(true) },
          ),
          { maxLength: 2 },
        ),
        active: orNull(name),
        epoch: big,
      }),
      { maxLength: 2 },
    ),
  }),
});

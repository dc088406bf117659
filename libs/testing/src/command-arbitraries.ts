import fc from 'fast-check';
import type { Command, CommandBody, CommandOutput, CommandResult } from '#failover';
import { age, big, count, name, names, offset, orNull } from './arbitrary-parts.js';
import { anyTailCommand, anyTailOutput } from './tail-arbitraries.js';

/** Arbitrary commands and results. Used by the round-trip properties only. */
const connectors = fc.record({ source: name, checkpoint: name, heartbeat: name });
const stamp = { group: name, epoch: big, term: big };
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
  fc.record({ kind: fc.constant('list_transactions' as const), cluster: name, topics: names }),
  fc.record({ kind: fc.constant('abort_transactions' as const), cluster: name, transactionalIds: names }),
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
  anyTailCommand,
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
  fc.record({
    kind: fc.constant('open_transactions' as const),
    open: fc.array(
      fc.record({
        transactionalId: name,
        state: fc.constantFrom('ongoing' as const, 'ending' as const),
        startedAtMs: big,
        partitions: fc.array(fc.record({ topic: name, partition: count }), { maxLength: 3 }),
      }),
      { maxLength: 3 },
    ),
  }),
  fc.record({
    kind: fc.constant('aborted_transactions' as const),
    aborted: names,
    refused: fc.array(fc.record({ transactionalId: name, detail: name }), { maxLength: 3 }),
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
  anyTailOutput,
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

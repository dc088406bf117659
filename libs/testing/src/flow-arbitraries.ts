import fc from 'fast-check';
import type { ConnectorFailure, SilentGap } from '#failover';
import type { FlowUpdate, PartitionUpdate } from '#rpc';
import { age, big, count, name, orNull, withOptional } from './arbitrary-parts.js';

/** Arbitrary reports of flows, of every shape that travels. */
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

const gap: fc.Arbitrary<SilentGap> = fc.record({
  topic: name,
  partition: count,
  kind: fc.constantFrom('purged' as const, 'recreated' as const, 'recopied' as const),
  records: orNull(big),
  downstream: orNull(big),
  ageMs: age,
});

const failure: fc.Arbitrary<ConnectorFailure> = fc.record({ connector: name, task: orNull(count), trace: name });

export const anyFlow: fc.Arbitrary<FlowUpdate> = withOptional(
  {
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
  },
  {
    checkpointAgeMs: age,
    gaps: fc.array(gap, { minLength: 1, maxLength: 3 }),
    failures: fc.array(failure, { minLength: 1, maxLength: 3 }),
  },
);

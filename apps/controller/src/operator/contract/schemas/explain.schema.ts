import { z } from 'zod';
import { answered, count, instant, ms } from '../shapes.js';
import { ACTIONS, MODES, VERDICTS, blocker, scheduled, selfFence } from './group.schema.js';

const partitionCounts = z.strictObject({
  total: count(),
  offline: count(),
  underReplicated: count(),
  underMinIsr: count(),
});

const clusterFields = z.strictObject({
  expectedBrokers: count(),
  answeringBrokers: count(),
  activeBrokers: count().nullable(),
  clusterId: z.string().nullable(),
  quorumLeader: z.int().nullable(),
  hotStandby: partitionCounts.nullable(),
  otherTopics: partitionCounts.nullable(),
  canarySampledBrokers: count(),
  canaryOkBrokers: count(),
  canaryLatencyMs: ms().nullable(),
  canarySuccessRatio: z.number().min(0).max(1).nullable(),
  endOffsetsAdvancing: z.boolean().nullable(),
  errorKinds: z.array(z.string()),
});

const vote = z.strictObject({
  idc: z.string(),
  agent: z.string(),
  role: z.enum(['own', 'witness', 'outsider']),
  vote: z.string().meta({ description: 'UP, DEGRADED, DOWN/UNREACHABLE, STALE …' }),
  counts: z.boolean(),
  ageMs: ms().nullable(),
  failingForMs: ms(),
  marks: z.array(z.string()),
  reasons: z.array(z.string()),
  fields: clusterFields.nullable(),
});

const namedRow = { id: z.int(), name: z.string() };

/** Recorded with every decision too, so an old event is answered in the shape of its time: members may be missing there. */
export const explanation = answered(
  'Explanation',
  z.strictObject({
    event: count().nullable().meta({ description: 'the past decision it is of; null: now' }),
    group: z.string(),
    at: instant(),
    term: count(),
    epoch: count(),
    active: z.string(),
    target: z.string().nullable(),
    mode: z.enum(MODES),
    leading: z.boolean(),
    row: z.strictObject({ ...namedRow, sentence: z.string() }),
    action: z.enum(ACTIONS),
    wouldDo: z.enum(ACTIONS),
    alerts: z.array(z.string()),
    gates: z.array(z.strictObject({ name: z.string(), sentence: z.string() })),
    rowsAbove: z.array(z.strictObject({ ...namedRow, failed: z.string() })),
    also: z.array(z.strictObject(namedRow)),
    clusters: z.array(
      z.strictObject({
        cluster: z.string(),
        role: z.enum(['active', 'target', 'member']),
        verdict: z.enum(VERDICTS),
        cutPairs: z.array(z.array(z.string())),
        votes: z.array(vote),
      }),
    ),
    window: z
      .strictObject({
        fillMs: ms(),
        lengthMs: ms(),
        dueInMs: ms(),
        deadline: instant(),
        complete: z.boolean(),
        text: z.string(),
        waitsFor: z.string().nullable(),
      })
      .nullable(),
    blockers: z.array(blocker),
    fitness: z.strictObject({ fit: z.boolean(), reasons: z.array(z.string()) }),
    selfFence: selfFence().optional().meta({ description: 'absent in events of versions before it' }),
    pause: z
      .strictObject({ owner: z.string(), reason: z.string(), until: instant(), everywhere: z.boolean() })
      .nullable()
      .optional()
      .meta({ description: 'absent in events of versions before it' }),
    scheduled: scheduled.nullable().optional().meta({ description: 'absent in events of versions before it' }),
    loss: z.strictObject({
      knownRecords: count().nullable(),
      estimatedRecords: count().nullable(),
      atLeast: z.boolean(),
    }),
    reasons: z.array(z.string()),
    text: z.string().meta({ description: 'the same for a terminal' }),
  }),
);

const level = z.enum(['ok', 'warn', 'blocker', 'unknown']);

export const readiness = answered(
  'Readiness',
  z.strictObject({
    group: z.string(),
    at: instant(),
    ready: z.boolean(),
    level,
    lines: z.array(z.strictObject({ id: z.string(), level, what: z.string(), fix: z.string().nullable() })),
    ifItFailedOverNow: z.strictObject({
      windowMs: ms(),
      rtoMs: ms(),
      rpoRecords: count().nullable(),
      rpoMs: ms().nullable(),
      rereads: z.array(z.strictObject({ consumerGroup: z.string(), records: count().nullable() })),
    }),
  }),
);

const pointerMode = z.enum(['ACTIVE', 'DRAIN', 'HOLD']);

export const clients = answered(
  'Clients',
  z.strictObject({
    group: z.string(),
    pointer: z.strictObject({ cluster: z.string(), epoch: count(), mode: pointerMode }),
    known: count(),
    adopted: count(),
    share: z.number().min(0).max(1),
    clients: z.array(
      z.strictObject({
        version: z.literal(1),
        group: z.string(),
        instance: z.string(),
        kind: z.enum(['producer', 'consumer']),
        name: z.string(),
        cluster: z.string(),
        epoch: count(),
        mode: pointerMode,
        state: z.enum(['following', 'moving', 'drained', 'held']),
        warnings: z.array(z.string()),
        adopted: z.boolean(),
      }),
    ),
    unwrapped: z.array(
      z.strictObject({
        cluster: z.string(),
        consumerGroup: z.string(),
        lagRecords: count().nullable(),
        observedAgeMs: ms(),
        committedAgeMs: ms().nullable(),
        members: count().optional(),
        onActive: z.boolean(),
      }),
    ),
    strayWrites: z.array(z.strictObject({ cluster: z.string(), ageMs: ms() })),
  }),
);

import { z } from 'zod';
import { proposal } from './proposal.schema.js';
import { answered, count, instant, ms } from '../shapes.js';

export const ACTIONS = ['none', 'hold', 'alert', 'failover', 'propose', 'unfence', 'start-rejoin'] as const;
export const MODES = ['observe', 'approve', 'auto'] as const;
export const VERDICTS = [
  ...(['UNKNOWN', 'DOWN_ATTESTED', 'DOWN_ISOLATED', 'LOCAL_FAULT', 'ALIVE_INSIDE'] as const),
  ...(['LINK_CUT', 'UP', 'DEGRADED', 'SPLIT'] as const),
] as const;
const FENCE_KINDS = z.string().meta({ description: 'how it is closed: acl, topic-config or hook (docs/fences.md)' });

export const blocker = answered(
  'Blocker',
  z.strictObject({ name: z.string(), detail: z.string(), liftedBy: z.string() }),
);

export const pause = answered(
  'Pause',
  z.strictObject({ owner: z.string(), reason: z.string(), at: instant().nullable(), expiresAt: instant() }),
);

export const scheduled = answered(
  'Scheduled',
  z.strictObject({
    id: z.string().meta({ description: 'abort takes it back by this id' }),
    act: z.literal('switchover'),
    target: z.string(),
    at: instant(),
    by: z.string(),
    reason: z.string(),
  }),
);

export const lossAcceptance = answered(
  'LossAcceptance',
  z.strictObject({
    by: z.string(),
    reason: z.string().nullable(),
    maxRecords: count().nullable(),
    maxMs: ms().nullable(),
    expiresAt: instant(),
  }),
);

const fence = z.strictObject({
  cluster: z.string(),
  state: z.enum(['fenced', 'open', 'partial', 'foreign', 'unknown']),
  kind: FENCE_KINDS.nullable(),
  epoch: count().nullable(),
  ageMs: ms().nullable(),
  fencing: z
    .strictObject({
      authorizer: z.boolean().nullable(),
      denyByDefault: z.boolean().nullable(),
      agentIsSuperUser: z.boolean().nullable(),
      writers: z.array(z.string()),
      offers: z.array(z.strictObject({ kind: FENCE_KINDS, usable: z.boolean(), reason: z.string() })),
    })
    .nullable(),
});

export const selfFence = () =>
  z
    .strictObject({ armed: z.boolean(), says: z.string() })
    .nullable()
    .meta({ description: 'of the active cluster; null unless the policy says fencing: strict' });

const consumerLag = z.strictObject({
  cluster: z.string(),
  consumerGroup: z.string(),
  lagRecords: count().nullable(),
  observedAgeMs: ms(),
  committedAgeMs: ms().nullable(),
});

export const group = answered(
  'Group',
  z.strictObject({
    group: z.string(),
    active: z.string(),
    standby: z.string().nullable(),
    mode: z.enum(MODES),
    modeSet: z
      .strictObject({ by: z.string().optional(), reason: z.string().optional(), at: instant() })
      .nullable()
      .meta({ description: 'who set it by hand; null: it is the file’s' }),
    row: z.int().nullable().meta({ description: 'of docs/decision-matrix.md; null until this controller has decided' }),
    name: z.string(),
    state: z.string().meta({ description: 'the sentence an operator reads' }),
    gate: z.array(z.string()),
    action: z.enum(ACTIONS),
    wouldDo: z.enum(ACTIONS),
    also: z.array(z.int()),
    reasons: z.array(z.string()),
    window: z
      .strictObject({ fillMs: ms(), lengthMs: ms(), complete: z.boolean(), startedAt: instant(), actsAt: instant() })
      .nullable(),
    blockers: z.array(blocker),
    lag: z.strictObject({
      records: count().nullable().meta({ description: 'null is unknown, never zero' }),
      ms: ms().nullable(),
      observedAgeMs: ms().nullable(),
      budget: z.strictObject({ records: count(), ms: ms() }),
      trend: z.enum(['rising', 'falling', 'steady', 'unknown']),
    }),
    consumerGroups: z.array(consumerLag),
    epoch: count(),
    leader: z.strictObject({ id: z.string(), term: count(), advertise: z.string() }).nullable(),
    observers: z.array(
      z.strictObject({
        agent: z.string(),
        idc: z.string(),
        ageMs: ms().nullable(),
        selfHealthy: z.boolean(),
        goodbye: z.boolean(),
        votes: z.record(z.string(), z.string()),
      }),
    ),
    verdicts: z.record(z.string(), z.enum(VERDICTS)),
    target: z
      .strictObject({ cluster: z.string().nullable(), fit: z.boolean(), reasons: z.array(z.string()) })
      .nullable(),
    fences: z.array(fence),
    selfFence: selfFence(),
    pause: pause.nullable(),
    pausedEverywhere: pause.nullable().meta({ description: 'the pause of all groups' }),
    frozen: z.string().nullable(),
    saga: z.strictObject({ id: z.string(), step: z.string().nullable(), openedAt: instant().nullable() }).nullable(),
    lossAcceptance: lossAcceptance.nullable(),
    proposal: proposal.nullable(),
    scheduled: scheduled.nullable().meta({ description: 'a switchover at a time, judged again then' }),
    rejoin: z.array(z.string()),
    evaluatedAt: instant().nullable(),
  }),
);

export const groups = answered('Groups', z.strictObject({ groups: z.array(group) }));

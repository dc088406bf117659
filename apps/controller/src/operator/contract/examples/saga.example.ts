const ID = '01936e0a-0000-7000-8000-000000000001';
const HEAD = {
  id: ID,
  kind: 'failover',
  group: 'orders',
  source: 'a',
  target: 'b',
  row: 410,
  trigger: 'auto',
  fromEpoch: 7,
  epoch: 8,
  term: 3,
  openedAt: '2026-11-20T14:02:31.000Z',
  closedAt: '2026-11-20T14:02:40.000Z',
  outcome: 'DONE',
} as const;
const STEP = { step: 'publish', direction: 'do', event: 'done', at: '2026-11-20T14:02:35.000Z' } as const;
const SUMMARY = 'b at epoch 8';

export const SAGA = {
  ...HEAD,
  journal: [{ seq: 9, ...STEP, term: 3, deadlineMs: null, evidence: { summary: SUMMARY } }],
} as const;

export const SAGA_REPORT = {
  saga: HEAD,
  figures: { rto: { totalMs: 34_000 } },
  begun: { row: 410 },
  clients: { known: 12, adopted: 12, stragglers: [], unwrapped: [] },
  steps: [{ ...STEP, summary: SUMMARY }],
  acts: [
    {
      ...{ at: '2026-11-20T14:10:00.000Z', actor: 'operator:kim', authenticated: 'oidc:kim' },
      ...{ action: 'acknowledge', reason: 'seen' },
    },
  ],
} as const;

export const OPERATION = {
  id: ID,
  kind: 'failover',
  group: 'orders',
  source: 'a',
  target: 'b',
  done: true,
  outcome: 'DONE',
  reason: 'all steps done',
  openedAt: HEAD.openedAt,
  closedAt: HEAD.closedAt,
  steps: [{ seq: 9, ...STEP, summary: SUMMARY }],
} as const;

export const TAIL = {
  group: 'orders',
  state: 'awaiting-choice',
  cluster: 'a',
  active: 'b',
  switchEpoch: 8,
  at: '2026-11-20T16:00:00.000Z',
  seam: {
    partitions: 2,
    compared: 40,
    tailAtMost: 3,
    choices: ['accept', 'export', 'replay', 'rebuild'],
    objections: [],
  },
  tail: {
    records: 3,
    bytes: 420,
    path: '/var/lib/pointsman/tails/orders-8.jsonl',
    agent: 'agent-a',
    loss: { counted: 3, estimated: 12, withinEstimate: true, says: '3 records, within the estimate of 12' },
    partitions: [
      {
        topic: 'orders',
        partition: 0,
        records: 3,
        bytes: 420,
        first: { offset: 118, timestampMs: 1_795_183_350_000, key: 'k1' },
        last: { offset: 120, timestampMs: 1_795_183_351_000, key: null },
      },
    ],
  },
} as const;

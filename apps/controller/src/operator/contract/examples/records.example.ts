export const EVENT = {
  seq: 1041,
  at: '2026-11-20T14:02:01.000Z',
  group: 'orders',
  type: 'decision',
  row: 410,
  summary: '410 IsolatedOrDead: the whole IDC of the active cluster is silent',
  detail: null,
  term: 3,
  epoch: 7,
  explain: '/v1/groups/orders/explain?event=1041',
} as const;

export const EVENT_STREAM = `id: ${EVENT.seq}\nevent: ${EVENT.type}\ndata: ${JSON.stringify(EVENT)}\n\n`;

export const AUDIT_ROW = {
  seq: 1,
  at: '2026-11-20T13:58:00.000Z',
  actor: 'operator:kim',
  action: 'pause',
  group: 'orders',
  reason: 'broker upgrade',
  detail: { row: 800 },
  term: 3,
  epoch: 7,
  previousHash: '0'.repeat(64),
  hash: '5d41402abc4b2a76b9719d911017c592ae2f1c9d27a4b6e1f0c3a5b7d9e1f304',
};

export const ALERT = {
  alert: {
    id: 'b4c1',
    incident: 'orders-7-410',
    type: 'suspected',
    group: 'orders',
    row: 410,
    reason: 'the whole IDC of the active cluster is silent',
    blockers: [],
    term: 3,
    epoch: 7,
    at: '2026-11-20T14:02:01.000Z',
  },
  settledAt: null,
  deliveries: [
    {
      receiver: 'oncall',
      deliveredAt: null,
      attempts: 12,
      lastError: '503',
      attemptedAt: '2026-11-20T18:02:01.000Z',
      deadAt: '2026-11-21T14:02:01.000Z',
      round: 0,
    },
  ],
} as const;

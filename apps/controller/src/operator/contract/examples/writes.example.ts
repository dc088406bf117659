const SAGA = '01936e0a-0000-7000-8000-000000000003';

export const GROUP_ACT = {
  group: 'orders',
  action: 'pause',
  dryRun: false,
  changed: true,
  summary: 'paused by kim until 2026-11-20T16:00:00.000Z',
  epoch: 7,
  pause: {
    owner: 'kim',
    reason: 'broker upgrade',
    at: '2026-11-20T14:00:00.000Z',
    expiresAt: '2026-11-20T16:00:00.000Z',
  },
  frozen: null,
  acknowledgedAt: null,
  lossAcceptance: null,
  mode: 'auto',
  proposal: null,
} as const;

export const FLEET_ACT = {
  action: 'pause',
  dryRun: false,
  changed: true,
  summary: 'everything is paused by kim until 2026-11-20T16:00:00.000Z',
  groups: ['orders', 'payments'],
  pause: GROUP_ACT.pause,
} as const;

export const PLANNED_ACT = {
  group: 'orders',
  action: 'switchover',
  dryRun: false,
  changed: true,
  summary: 'switchover a → b',
  epoch: 7,
  saga: SAGA,
  source: 'a',
  target: 'b',
  steps: [
    {
      step: 'publish',
      phase: 'return',
      effect: 'the pointer says b',
      compensation: null,
      deadlineMs: 10_000,
    },
  ],
} as const;

export const FORCED_ACT = {
  ...PLANNED_ACT,
  action: 'failover',
  summary: 'failover a → b',
  loss: { knownRecords: 12_000, estimatedRecords: 14_000, atLeast: false, says: '12000 records, 14000 estimated' },
} as const;

export const ABORTED = { saga: SAGA, group: 'orders', outcome: 'aborted' } as const;

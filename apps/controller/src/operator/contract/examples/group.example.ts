const LEADER = { id: 'ctl-a', term: 3, advertise: 'https://ctl-a.example:8080' } as const;
const REFUSED = ['own cluster: every broker refuses'] as const;
const LAG_OVER_BUDGET = {
  name: 'LAG_OVER_BUDGET',
  detail: '12 000 records behind, 10 000 are allowed',
  liftedBy: 'pointsman accept-loss orders',
} as const;

/** The active cluster's IDC is silent; the window runs, and the lag is in the way. */
export const GROUP = {
  group: 'orders',
  active: 'a',
  standby: 'b',
  mode: 'auto',
  row: 410,
  name: 'IsolatedOrDead',
  state: 'the whole IDC of the active cluster is silent, and everyone else finds it down',
  gate: [],
  action: 'hold',
  wouldDo: 'failover',
  also: [610],
  reasons: [],
  window: {
    fillMs: 18_200,
    lengthMs: 30_000,
    complete: false,
    startedAt: '2026-11-20T14:02:01.000Z',
    actsAt: '2026-11-20T14:02:31.000Z',
  },
  blockers: [LAG_OVER_BUDGET],
  lag: {
    records: 12_000,
    ms: 400,
    observedAgeMs: 1_000,
    budget: { records: 10_000, ms: 30_000 },
    trend: 'falling',
  },
  consumerGroups: [
    { cluster: 'a', consumerGroup: 'billing', lagRecords: 40, observedAgeMs: 900, committedAgeMs: 2_100 },
  ],
  epoch: 7,
  leader: LEADER,
  observers: [
    {
      agent: 'agent-b',
      idc: 'b',
      ageMs: 500,
      selfHealthy: true,
      goodbye: false,
      votes: { a: 'DOWN', b: 'UP' },
    },
  ],
  verdicts: { a: 'DOWN_ISOLATED', b: 'UP' },
  target: { cluster: 'b', fit: true, reasons: [] },
  fences: [
    {
      cluster: 'b',
      state: 'fenced',
      kind: 'acl',
      epoch: 7,
      ageMs: 1_200,
      fencing: {
        authorizer: true,
        denyByDefault: true,
        agentIsSuperUser: false,
        writers: ['User:app'],
        offers: [{ kind: 'acl', usable: true, reason: 'denies User:*' }],
      },
    },
  ],
  pause: null,
  frozen: null,
  saga: null,
  lossAcceptance: null,
  rejoin: [],
  evaluatedAt: '2026-11-20T14:02:19.200Z',
} as const;

export const EXPLANATION = {
  event: null,
  group: 'orders',
  at: '2026-11-20T14:02:19.200Z',
  term: 3,
  epoch: 7,
  active: 'a',
  target: 'b',
  mode: 'auto',
  leading: true,
  row: { id: 410, name: 'IsolatedOrDead', sentence: GROUP.state },
  action: 'hold',
  wouldDo: 'failover',
  alerts: ['suspected'],
  gates: [],
  rowsAbove: [{ id: 400, name: 'AttestedDeath', failed: 'its own agent says that every broker refuses' }],
  also: [],
  clusters: [
    {
      cluster: 'a',
      role: 'active',
      verdict: 'DOWN_ISOLATED',
      cutPairs: [],
      votes: [
        {
          idc: 'b',
          agent: 'agent-b',
          role: 'outsider',
          vote: 'DOWN/UNREACHABLE',
          counts: true,
          ageMs: 500,
          failingForMs: 19_000,
          marks: [],
          reasons: REFUSED,
          fields: null,
        },
      ],
    },
  ],
  window: {
    fillMs: 18_200,
    lengthMs: 30_000,
    dueInMs: 11_800,
    deadline: '2026-11-20T14:02:31.000Z',
    complete: false,
    text: '18.2 s of 30 s',
    waitsFor: null,
  },
  blockers: [LAG_OVER_BUDGET],
  fitness: { fit: true, reasons: [] },
  loss: { knownRecords: 12_000, estimatedRecords: 14_000, atLeast: false },
  reasons: [],
  text: 'orders: row 410 IsolatedOrDead\n',
} as const;

export const READINESS = {
  group: 'orders',
  at: '2026-11-20T14:00:00.000Z',
  ready: true,
  level: 'warn',
  lines: [
    {
      id: 'rebalance-delay',
      level: 'warn',
      what: 'consumers wait 3.0 s for their first rebalance on b',
      fix: 'group.initial.rebalance.delay.ms=0',
    },
  ],
  ifItFailedOverNow: {
    windowMs: 30_000,
    rtoMs: 41_000,
    rpoRecords: 12,
    rpoMs: 400,
    rereads: [{ consumerGroup: 'billing', records: 40 }],
  },
} as const;

export const CLIENTS = {
  group: 'orders',
  pointer: { cluster: 'a', epoch: 7, mode: 'ACTIVE' },
  known: 1,
  adopted: 1,
  share: 1,
  clients: [
    {
      version: 1,
      group: 'orders',
      instance: 'shop-1/3f2a',
      kind: 'producer',
      name: 'shop',
      cluster: 'a',
      epoch: 7,
      mode: 'ACTIVE',
      state: 'following',
      warnings: [],
      adopted: true,
    },
  ],
  unwrapped: [
    {
      cluster: 'a',
      consumerGroup: 'billing',
      lagRecords: 40,
      observedAgeMs: 900,
      committedAgeMs: 2_100,
      members: 2,
      onActive: true,
    },
  ],
  strayWrites: [{ cluster: 'b', ageMs: 1_200 }],
} as const;

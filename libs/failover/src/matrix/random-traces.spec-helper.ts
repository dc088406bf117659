import fc from 'fast-check';
import { AGENT_STATES, type GroupChange, type Phase, type Scenario } from '../simulate/scenario.js';
import { VIEWS } from '../simulate/views.js';
import type { Policy } from './facts.js';
import { compilePolicy, defaultPolicy } from './policy.js';

/** Traces as they are drawn by chance: deaths, cuts, silent agents, people and leaders that change things meanwhile. */

const IDCS = ['a', 'b', 'c'] as const;
const DEAD_VIEWS = ['refused', 'silent', 'half-refused', 'no-service', 'quorum-lost'] as const;
/** A phase in which nothing changes. */
export const EMPTY: Phase = {
  name: 'random',
  forMs: 0,
  sees: {},
  agents: {},
  group: {},
  lag: null,
  center: null,
  controller: {},
  fences: {},
  brokers: null,
  connector: null,
  placement: null,
  digests: null,
  expect: null,
};

/** One view from all IDCs. */
export const everyone = (view: string): Readonly<Record<string, string>> =>
  Object.fromEntries(IDCS.map((idc) => [idc, view]));

const seen = fc.oneof(
  { weight: 3, arbitrary: fc.constant(everyone('up')) },
  { weight: 5, arbitrary: fc.constantFrom(...DEAD_VIEWS).map(everyone) },
  { weight: 2, arbitrary: fc.constantFrom(...VIEWS.map((v) => v.name)).map(everyone) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(...IDCS.map(() => fc.constantFrom('up', 'up', 'broker-lost', ...DEAD_VIEWS)))
      .map((views) => Object.fromEntries(IDCS.map((idc, i) => [idc, views[i] ?? 'up']))),
  },
);

const agents = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ a: 'up', b: 'up', c: 'up' } as const) },
  { weight: 2, arbitrary: fc.constantFrom(...AGENT_STATES).map((a) => ({ a, b: 'up', c: 'up' }) as const) },
  {
    weight: 1,
    arbitrary: fc.record({
      a: fc.constantFrom(...AGENT_STATES),
      b: fc.constantFrom(...AGENT_STATES),
      c: fc.constantFrom(...AGENT_STATES),
    }),
  },
);

const group: fc.Arbitrary<GroupChange> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constantFrom<GroupChange>({ paused: true }, { paused: false }) },
  { weight: 1, arbitrary: fc.constantFrom<GroupChange>({ mode: 'observe' }, { mode: 'approve' }, { mode: 'auto' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<GroupChange>(
      { published: true },
      { acknowledged: true },
      { rejoin: ['b'] },
      { rejoin: [] },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<GroupChange>(
      { sagaOpen: true },
      { sagaOpen: false },
      { frozen: 'foreign epoch' },
      { frozen: null },
    ),
  },
);

const lag = fc.oneof(
  { weight: 6, arbitrary: fc.constant(null) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { records: 50_000, ms: null, heartbeatAgeMs: null },
      { records: null, ms: null, heartbeatAgeMs: null },
      { records: 5, ms: 100, heartbeatAgeMs: 900 },
    ),
  },
);

const phase: fc.Arbitrary<Phase> = fc
  .record({
    forMs: fc.integer({ min: 4, max: 90 }).map((n) => n * 500),
    a: seen,
    b: fc.oneof({ weight: 5, arbitrary: fc.constant(everyone('up')) }, { weight: 1, arbitrary: seen }),
    agents,
    group,
    lag,
    center: fc.oneof({ weight: 6, arbitrary: fc.constant('ok') }, { weight: 1, arbitrary: fc.constant('refused') }),
    controller: fc.constantFrom<Phase['controller']>(
      {},
      {},
      {},
      {},
      { term: 2 },
      { term: 3 },
      { restart: true },
      { leading: false },
      { leading: true },
    ),
  })
  .map(({ a, b, ...rest }) => ({ ...EMPTY, ...rest, sees: { a, b } }));

const policy: fc.Arbitrary<Policy> = fc.constantFrom(
  defaultPolicy,
  compilePolicy({ ...defaultPolicy, clients: 'outside' }),
  compilePolicy({
    ...defaultPolicy,
    windows: { attestedMs: 8_000, serviceMs: 10_000, isolatedMs: 10_000, grayMs: 10_000 },
  }),
  compilePolicy({ ...defaultPolicy, producersInSourceIdc: false }),
);

export const scenarioOf = (over: Partial<Scenario>): Scenario => ({
  name: 'random trace',
  why: '',
  observers: IDCS.map((idc) => ({ agent: `agent-${idc}`, idc })),
  policy: defaultPolicy,
  probe: { periodMs: 2_000, timeoutMs: 2_000 },
  tickMs: 500,
  phases: [],
  ...over,
});

/** Long enough for the grace period. */
export const warmUp: Phase = { ...EMPTY, name: 'healthy', forMs: 20_000 };

export const traces = fc
  .record({ policy, phases: fc.array(phase, { minLength: 1, maxLength: 6 }) })
  .map(({ policy: p, phases }) => scenarioOf({ policy: p, phases: [warmUp, ...phases] }));

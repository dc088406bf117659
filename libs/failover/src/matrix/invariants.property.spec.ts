import { GOODBYE_COUNTS_MS, type Vote } from '#health';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runScenario } from '../simulate/run-scenario.js';
import { sampleVote } from '../simulate/sample-snapshot.js';
import { AGENT_STATES, type GroupChange, type Phase, type Scenario } from '../simulate/scenario.js';
import { VIEWS } from '../simulate/views.js';
import { decide } from './decide.js';
import type { Decision, Policy, Snapshot } from './facts.js';
import { compilePolicy, defaultPolicy } from './policy.js';

/**
 * Random traces through the real fold, verdicts and decide() under a simulated clock; the invariants are asked at every
 * tick. fast-check prints seed and path of a failing trace.
 */

const RUNS = 40;

const IDCS = ['a', 'b', 'c'] as const;
const DEAD_VIEWS = ['refused', 'silent', 'half-refused', 'no-service', 'quorum-lost'] as const;
const NEVER_DOWN_VIEWS = [
  'dns',
  'tls',
  'authentication',
  'authorization',
  'quota',
  'unknown-error',
  'stalled-but-advancing',
] as const;

const EMPTY: Phase = {
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

const everyone = (view: string): Readonly<Record<string, string>> => Object.fromEntries(IDCS.map((idc) => [idc, view]));

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

const scenarioOf = (over: Partial<Scenario>): Scenario => ({
  name: 'random trace',
  why: '',
  observers: IDCS.map((idc) => ({ agent: `agent-${idc}`, idc })),
  policy: defaultPolicy,
  probe: { periodMs: 2_000, timeoutMs: 2_000 },
  tickMs: 500,
  phases: [],
  ...over,
});

const warmUp: Phase = { ...EMPTY, name: 'healthy', forMs: 20_000 };

const traces = fc
  .record({ policy, phases: fc.array(phase, { minLength: 1, maxLength: 6 }) })
  .map(({ policy: p, phases }) => scenarioOf({ policy: p, phases: [warmUp, ...phases] }));

const answers = (v: Vote): boolean => v.state === 'UP' || v.state === 'DEGRADED';
const votesOn = (s: Snapshot): readonly Vote[] => Object.values(s.votes[s.group.active] ?? {});
const someDown = (s: Snapshot): boolean => votesOn(s).some((v) => v.state === 'DOWN');
const idcOf = (agent: string): string => agent.replace('agent-', '');
const moves = (d: Decision): boolean => d.action === 'failover' || d.action === 'propose';

const withVote = (s: Snapshot, vote: Vote): Snapshot => ({
  ...s,
  votes: { ...s.votes, [s.group.active]: { ...s.votes[s.group.active], [vote.agent]: vote } },
});

/** What the test itself remembers of a trace, apart from decide()'s memory. */
type Witness = {
  lastAnswerAtMs: number;
  lastOutsideAnswerAtMs: number;
  lastBlindAtMs: number;
  lastTerm: number;
  termSinceMs: number;
};

type Ask = (s: Snapshot, d: Decision, p: Policy, w: Witness) => void;

/** Asked at every tick. */
const ALWAYS: readonly (readonly [string, Ask])[] = [
  [
    'I14 most observers gone: blind, nothing moves but a proposal',
    (s, d) => {
      const fresh = votesOn(s).filter((v) => v.state !== 'STALE' && v.state !== 'ABSTAIN');
      if (fresh.length * 2 > 3) return;
      expect([115, 120]).toContain(d.row);
      expect(d.action).not.toBe('failover');
    },
  ],
  [
    'I15 pure: frozen input, same answer, also for a stored snapshot',
    (s, d, p) => {
      if (s.now % 2_500 !== 0) return;
      expect(decide(JSON.parse(JSON.stringify(s)) as Snapshot, p)).toEqual(d);
    },
  ],
  [
    'I8 an answer that goes stale is no failure',
    (s, d, p) => {
      if (d.action === 'failover' || !someDown(s)) return;
      for (const v of votesOn(s).filter(answers)) {
        const stale = decide(withVote(s, { ...v, state: 'STALE', kind: null }), p);
        expect(stale.action).not.toBe('failover');
      }
    },
  ],
  [
    'I17 more lag never raises the urge',
    (s, d, p) => {
      if (d.action === 'failover' || !someDown(s)) return;
      const more = s.flows.map((f) => ({ ...f, lagRecords: 9_999_999, lagMs: 9_999_999, heartbeatAgeMs: 9_999_999 }));
      expect(decide({ ...s, flows: more }, p).action).not.toBe('failover');
      expect(decide({ ...s, flows: [] }, p).action).not.toBe('failover');
    },
  ],
  [
    'I20 no automatic failback, nor onto a rejoining member',
    (s, d) => {
      if (['UP', 'DEGRADED', 'LINK_CUT', 'LOCAL_FAULT'].includes(d.verdicts[s.group.active]?.name ?? '')) {
        expect(d.action).not.toBe('failover');
      }
      if (d.action === 'failover') expect(s.group.rejoin).not.toContain(d.target);
    },
  ],
  [
    'I21 a blocked decision pages at once and says what lifts it',
    (s, d) => {
      if (d.blockers.length === 0) return;
      if (s.graceOver) expect(d.alerts).toContain('held');
      for (const b of d.blockers) expect(b.liftedBy).not.toBe('');
      expect(moves(d)).toBe(false);
    },
  ],
  [
    'gates: behind a closed one nothing moves',
    (_s, d) => {
      if (d.gate.length > 0) expect(d.action).toBe('none');
    },
  ],
];

/** Asked when a failover is due. */
const WHEN_ACTING: readonly (readonly [string, Ask])[] = [
  [
    'I7 two DOWN votes; any one turned UP stops it',
    (s, d, p) => {
      expect(votesOn(s).filter((v) => v.state === 'DOWN').length).toBeGreaterThanOrEqual(2);
      for (const v of votesOn(s)) {
        const flipped = decide(withVote(s, sampleVote(v.agent, 'up')), p);
        // By policy `clients: outside` the own agent's UP is no veto: 420 may act where all outsiders say DOWN for long.
        if (flipped.row === 420 && idcOf(v.agent) === s.group.active) continue;
        expect(flipped.action).not.toBe('failover');
      }
    },
  ],
  [
    'I9 no fresh vote answers; row 420 excepts its own agent',
    (s, d) => {
      const vetoes = votesOn(s).filter((v) => answers(v) && !(d.row === 420 && idcOf(v.agent) === s.group.active));
      expect(vetoes).toEqual([]);
    },
  ],
  [
    'I10 DOWN from outside both IDCs',
    (s, d) => {
      const down = votesOn(s)
        .filter((v) => v.state === 'DOWN')
        .map((v) => idcOf(v.agent));
      expect(down.some((idc) => idc !== s.group.active)).toBe(true);
      expect(down.some((idc) => idc !== d.target)).toBe(true);
    },
  ],
  [
    'I11 nobody got an answer for the whole window, and it sees again',
    (s, d, p, w) => {
      const answeredAt = d.row === 420 ? w.lastOutsideAnswerAtMs : w.lastAnswerAtMs;
      const least = {
        400: p.windows.attestedMs,
        405: p.windows.serviceMs,
        410: Math.min(p.windows.isolatedMs, 30_000),
        420: p.windows.grayMs,
      }[d.row];
      expect(s.now - answeredAt).toBeGreaterThanOrEqual(least ?? Infinity);
      expect(s.now - w.lastBlindAtMs).toBeGreaterThanOrEqual(s.probe.periodMs);
      expect(s.now - w.termSinceMs).toBeGreaterThanOrEqual(s.probe.periodMs);
    },
  ],
  [
    'I12 grace over; a fresh window after resume and change of mode',
    (s, d) => {
      expect(s.graceOver).toBe(true);
      const length = d.window?.lengthMs ?? Infinity;
      for (const age of [s.group.unpausedAgeMs, s.group.modeChangedAgeMs])
        expect(age ?? Infinity).toBeGreaterThanOrEqual(length);
    },
  ],
  [
    'I13 a goodbye is no evidence',
    (s, d) => {
      const own = s.observers.find((o) => o.idc === s.group.active);
      const stopped = own !== undefined && own.goodbyeAgeMs !== null && own.goodbyeAgeMs < GOODBYE_COUNTS_MS;
      if (stopped) expect(d.row).not.toBe(410);
    },
  ],
  [
    'I16 only to a fit target',
    (_s, d) => {
      expect(d.targetFit.fit).toBe(true);
      expect(d.blockers).toEqual([]);
    },
  ],
  [
    'I19 not within the cool-down',
    (s, _d, p) => {
      const last = s.group.lastPublishedAuto;
      if (last !== null && !last.acknowledged) expect(last.ageMs).toBeGreaterThanOrEqual(p.cooldownMs);
    },
  ],
];

function observe(w: Witness, s: Snapshot, d: Decision): void {
  for (const v of votesOn(s)) {
    if (!answers(v) || v.lastAnsweredAgeMs === null) continue;
    const at = s.now - v.lastAnsweredAgeMs;
    w.lastAnswerAtMs = Math.max(w.lastAnswerAtMs, at);
    if (idcOf(v.agent) !== s.group.active) w.lastOutsideAnswerAtMs = Math.max(w.lastOutsideAnswerAtMs, at);
  }
  if (d.verdicts[s.group.active]?.name === 'UNKNOWN') w.lastBlindAtMs = s.now;
  if (s.term !== w.lastTerm) Object.assign(w, { lastTerm: s.term, termSinceMs: s.now });
}

function askAll(scenario: Scenario): Readonly<{ acted: number; rows: ReadonlySet<number> }> {
  const w: Witness = {
    lastAnswerAtMs: -1,
    lastOutsideAnswerAtMs: -1,
    lastBlindAtMs: -Infinity,
    lastTerm: 1,
    termSinceMs: -Infinity,
  };
  let acted = 0;
  const rows = new Set<number>();
  const ask = (asks: typeof ALWAYS, s: Snapshot, d: Decision): void => {
    for (const [name, check] of asks) {
      try {
        check(s, d, scenario.policy, w);
      } catch (cause) {
        throw new Error(`${name}: broken at ${s.now} by row ${d.row} (${d.action})`, { cause });
      }
    }
  };
  runScenario(scenario, (s, d) => {
    observe(w, s, d);
    rows.add(d.row);
    ask(ALWAYS, s, d);
    if (d.action !== 'failover') return;
    acted += 1;
    ask(WHEN_ACTING, s, d);
  });
  return { acted, rows };
}

const never = (scenario: Scenario, what: (s: Snapshot, d: Decision) => boolean): void => {
  runScenario(scenario, (s, d) => {
    if (what(s, d)) throw new Error(`row ${d.row} ${d.name} did ${d.action} at ${s.now}`);
  });
};

/** What the generator reaches must not be left to luck; the invariants themselves are asked of new traces each time. */
const COVERAGE_SEED = 1;

describe('invariants over random traces', () => {
  it('I7–I17 and I19–I21 hold at every tick', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(traces, (scenario) => void askAll(scenario)),
      { numRuns: RUNS },
    );
  });

  it('reaches failovers and most rows: a trace that never acts proves little', { timeout: 120_000 }, () => {
    const seen = fc.sample(traces, { numRuns: 40, seed: COVERAGE_SEED }).map(askAll);
    expect(seen.filter((s) => s.acted > 0).length).toBeGreaterThan(3);
    expect(new Set(seen.flatMap((s) => [...s.rows])).size).toBeGreaterThan(8);
  });

  it('I18 a cut link alone never moves traffic, whichever it is and however long', { timeout: 120_000 }, () => {
    const link = fc.constantFrom<Phase['sees']>(
      { a: { b: 'silent' }, b: { a: 'silent' } },
      { a: { c: 'silent' } },
      { b: { c: 'silent' } },
      { a: { b: 'no-route', c: 'up' }, b: { a: 'no-route' } },
      { a: everyone('up'), b: everyone('up') },
    );
    const cuts = fc.array(fc.record({ sees: link, forMs: fc.integer({ min: 2, max: 600 }).map((n) => n * 500) }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(cuts, (phases) => {
        // Healing first, then one link cut: never two at once.
        const one = phases.map((p) => ({
          ...EMPTY,
          ...p,
          sees: { a: { ...everyone('up'), ...p.sees['a'] }, b: { ...everyone('up'), ...p.sees['b'] } },
        }));
        never(scenarioOf({ phases: [warmUp, ...one] }), (_s, d) => d.wouldDo === 'failover' || moves(d));
      }),
      { numRuns: 25 },
    );
  });

  it('I42 DNS, TLS, credentials, quota and advancing ends are never DOWN', { timeout: 120_000 }, () => {
    const views = fc.constantFrom('up', ...NEVER_DOWN_VIEWS);
    const some = fc.tuple(views, views, views).map(([a, b, c]) => ({ a, b, c }));
    const phases = fc.array(
      fc.record({ a: some, b: some, forMs: fc.integer({ min: 2, max: 120 }).map((n) => n * 500) }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(phases, (list) => {
        const scenario = scenarioOf({
          phases: [warmUp, ...list.map(({ a, b, forMs }) => ({ ...EMPTY, forMs, sees: { a, b } }))],
        });
        never(
          scenario,
          (s, d) =>
            d.wouldDo === 'failover' ||
            Object.values(s.votes).some((on) => Object.values(on).some((v) => v.state === 'DOWN')),
        );
      }),
      { numRuns: 25 },
    );
  });
});

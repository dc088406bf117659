import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runScenario } from '../simulate/run-scenario.js';
import type { Phase, Scenario } from '../simulate/scenario.js';
import type { Decision, Snapshot } from './facts.js';
import { ALWAYS, moves, observe, WHEN_ACTING, type Ask, type Witness } from './invariant-questions.spec-helper.js';
import { EMPTY, everyone, scenarioOf, traces, warmUp } from './random-traces.spec-helper.js';

/**
 * Random traces through the real fold, verdicts and decide() under a simulated clock; the invariants are asked at every
 * tick. fast-check prints seed and path of a failing trace.
 */

const RUNS = 40;

const NEVER_DOWN_VIEWS = [
  'dns',
  'tls',
  'authentication',
  'authorization',
  'quota',
  'unknown-error',
  'stalled-but-advancing',
] as const;

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
  const ask = (asks: readonly (readonly [string, Ask])[], s: Snapshot, d: Decision): void => {
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

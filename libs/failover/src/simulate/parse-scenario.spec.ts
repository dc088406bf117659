import { describe, expect, it } from 'vitest';
import { parseScenario } from './parse-scenario.js';
import { ScenarioError } from './read.js';
import { runScenario } from './run-scenario.js';

const phases = [{ for: '30s' }];

describe('parseScenario', () => {
  it('fills in three observers, the default policy and probe', () => {
    const s = parseScenario({ name: 'x', phases });
    expect(s.observers.map((o) => o.idc)).toEqual(['a', 'b', 'c']);
    expect(s).toMatchObject({ probe: { periodMs: 2_000, timeoutMs: 2_000 }, tickMs: 500, phases: [{ forMs: 30_000 }] });
  });

  it('spreads one view over all observers', () => {
    const s = parseScenario({ name: 'x', phases: [{ for: '1s', sees: { a: 'refused', b: { c: 'silent' } } }] });
    expect(s.phases[0]?.sees).toEqual({ a: { a: 'refused', b: 'refused', c: 'refused' }, b: { c: 'silent' } });
  });

  it.each<[string, unknown, string]>([
    ['an unknown key', { name: 'x', phase: [], phases }, 'scenario.phase: unknown'],
    ['a bad duration', { name: 'x', phases: [{ for: '30' }] }, 'phases[0].for: expected a duration'],
    [
      'an unknown blocker',
      { name: 'x', phases: [{ for: '1s', expect: { blockers: ['LAG'] } }] },
      'phases[0].expect.blockers[0]',
    ],
    ['an unknown agent state', { name: 'x', phases: [{ for: '1s', agents: { a: 'dead' } }] }, 'phases[0].agents.a'],
    ['a missing name', { phases }, 'name: expected a text'],
  ])('names the path of %s', (_what, value, message) => {
    expect(() => parseScenario(value)).toThrow(ScenarioError);
    expect(() => parseScenario(value)).toThrow(message);
  });

  it('lists the known views', () => {
    expect(() => parseScenario({ name: 'x', phases: [{ for: '1s', sees: { a: 'dead' } }] })).toThrow(/known: up, idle/);
  });
});

describe('runScenario', () => {
  const scenario = parseScenario({
    name: 'death',
    phases: [{ for: '30s' }, { name: 'dead', for: '30s', sees: { a: 'refused' }, expect: { row: 800 } }],
  });

  it('is deterministic, reports what did not come true, and keeps the last decision for explain', () => {
    const run = runScenario(scenario);
    expect(runScenario(scenario)).toEqual(run);
    expect(run.ok).toBe(false);
    expect(run.steps[1]?.failures).toEqual([
      'row: expected 800, got 400',
      expect.stringContaining('acted: failover') as string,
    ]);
    expect(run.last?.decision.row).toBe(400);
  });
});

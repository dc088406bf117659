import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type Change, parseScenario, runScenario, TABLES, GATES, BLOCKERS } from '#failover';

/** One runner for all scenario files: anyone adds a case without code. */
const here = import.meta.dirname;
const files = readdirSync(here).filter((f) => f.endsWith('.yaml'));

const load = (file: string) =>
  parseAllDocuments(readFileSync(join(here, file), 'utf8'))
    .map((d) => d.toJS() as unknown)
    .filter((d) => d !== null)
    .map(parseScenario);

const corpus = files.map((file) => ({ file, scenarios: load(file) }));

const line = (c: Change): string => {
  const gates = c.gate.length === 0 ? '' : ` gates ${c.gate.join(',')}`;
  const blockers = c.blockers.length === 0 ? '' : ` blocked by ${c.blockers.join(',')}`;
  return `${(c.atMs / 1000).toFixed(1)} s: ${c.row} ${c.name} ${c.action}${gates}${blockers} (${c.verdict})`;
};

for (const { file, scenarios } of corpus) {
  describe(file, () => {
    it.each(scenarios.map((s) => [s.name, s] as const))('%s', (_name, scenario) => {
      const run = runScenario(scenario);
      const failed = run.steps
        .filter((s) => s.failures.length > 0)
        .map((s) => [`phase "${s.name}":`, ...s.failures, ...s.changes.map((c) => `    ${line(c)}`)].join('\n  '));
      expect(failed.join('\n')).toBe('');
    });
  });
}

describe('the corpus', () => {
  const rows = new Set<number>();
  const gates = new Set<string>();
  const blockers = new Set<string>();
  for (const { scenarios } of corpus) {
    for (const scenario of scenarios) {
      runScenario(scenario, (_snapshot, d) => {
        rows.add(d.row);
        for (const g of d.gate) gates.add(g);
        for (const b of d.blockers) blockers.add(b.name);
      });
    }
  }

  it('has at least 60 cases, with names of their own', () => {
    const names = corpus.flatMap((c) => c.scenarios.map((s) => s.name));
    expect(names.length).toBeGreaterThanOrEqual(60);
    expect(new Set(names).size).toBe(names.length);
  });

  it('meets every row, every gate and every blocker', () => {
    const all = [...TABLES.guarded, ...TABLES.classic].map((r) => r.id);
    expect(all.filter((id) => !rows.has(id))).toEqual([]);
    expect(GATES.map((g) => g.name).filter((g) => !gates.has(g))).toEqual([]);
    expect(BLOCKERS.map((b) => b.name).filter((b) => !blockers.has(b))).toEqual([]);
  });
});

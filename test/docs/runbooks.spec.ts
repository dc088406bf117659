import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ALERT_TABLE } from '../../apps/controller/src/alerting/alert-table.js';
import { holdingRows, runbookIndex } from '../../tools/runbooks/runbook-index.js';

// Somebody is woken by an alert and opens its page: it must be there, and its commands must exist.
const ROOT = new URL('../../', import.meta.url).pathname;
const RUNBOOKS = join(ROOT, 'docs/runbooks');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const pages = readdirSync(RUNBOOKS).filter((file) => file !== 'README.md');

type Rule = Readonly<{ alert: string; annotations: Readonly<Record<string, string>> }>;
const rules = (parse(read('examples/prometheus/pointsman.rules.yaml')) as { groups: { rules: Rule[] }[] }).groups;

describe('runbooks', () => {
  it.each(Object.keys(ALERT_TABLE))('there is one for the alert %s', (type) => {
    expect(existsSync(join(RUNBOOKS, `${type}.md`))).toBe(true);
  });

  it.each(holdingRows().map((row) => row.id))('there is one for row %i, which holds', (row) => {
    expect(existsSync(join(RUNBOOKS, `row-${row}.md`))).toBe(true);
  });

  it.each(rules.flatMap((group) => group.rules))('the Prometheus rule $alert links to one', ({ annotations }) => {
    const page = annotations['runbook_url']?.split('/').at(-1) ?? '';
    expect(pages).toContain(page);
  });

  it.each(pages)('%s says what it means, what to look at and what to type', (page) => {
    const text = read(`docs/runbooks/${page}`);
    const headings = [...text.matchAll(/^## (.+)$/gm)].map((m) => m[1]);
    expect(headings).toEqual(['What it means', 'What to look at', 'What to type']);
    const links = [...text.matchAll(/\]\(([^)#]+)\)/g)].flatMap((m) => m[1] ?? []);
    expect(links.filter((link) => !existsSync(join(RUNBOOKS, link)))).toEqual([]);
  });

  it('the index is what the tables say', () => {
    expect(read('docs/runbooks/README.md')).toBe(runbookIndex());
  });
});

describe('docs/alerts.md', () => {
  const text = read('docs/alerts.md');

  it.each(['critical', 'info'] as const)('says which alerts are %s', (severity) => {
    const [, said = ''] = new RegExp(`\`${severity}\` for ([^;]*);`).exec(text) ?? [];
    const named = new Set([...said.matchAll(/`(\w+)`/g)].map(([, type]) => type));
    const types = Object.entries(ALERT_TABLE).flatMap(([type, row]) => (row.severity === severity ? [type] : []));
    expect(named).toEqual(new Set(types));
  });

  it('names every alert and every key of the configuration', () => {
    expect(Object.keys(ALERT_TABLE).filter((type) => !text.includes(`\`${type}\``))).toEqual([]);
    const keys = ['webhooks', 'pagerduty', 'alertmanager', 'slack', 'routes', 'allowPrivate', 'redis', 'heartbeat'];
    expect([...keys, 'runbookUrl', 'alsoSecretFile'].filter((key) => !text.includes(key))).toEqual([]);
  });
});

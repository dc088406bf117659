import 'reflect-metadata';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensurePrometheus } from '#lab';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { ApiApp } from './api-app.js';

const RULES = new URL('../../examples/prometheus/', import.meta.url).pathname;

type Result = Readonly<{ code: number; output: string }>;

/** promtool tells its findings by its exit code and on both streams. */
const promtool = async (args: readonly string[], stdin = ''): Promise<Result> => {
  const { promtool: program } = await ensurePrometheus();
  return new Promise((resolve) => {
    const child = execFile(program, [...args], { cwd: RULES }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, output: stdout + stderr });
    });
    child.stdin?.end(stdin);
  });
};

describe('the alert rules for Prometheus', () => {
  it('are rules', async () => {
    expect(await promtool(['check', 'rules', 'pointsman.rules.yaml'])).toMatchObject({ code: 0 });
  });

  it('fire when they should and are silent when all is well', async () => {
    expect(await promtool(['test', 'rules', 'pointsman.rules.test.yaml'])).toMatchObject({ code: 0 });
  });
});

describe("the controller's /metrics", () => {
  let api: ApiApp;
  beforeAll(async () => {
    api = await ApiApp.start('ctl-a', new MemoryAuthorityDatabase());
    await api.lead();
  });
  afterAll(() => api.close());

  // prom-client's own nodejs_* gauges carry a counter's suffix; everything else is held to the rule.
  it('is what promtool calls clean, and has every metric that the rules ask for', async () => {
    const text = await (await fetch(`${api.url}/metrics`)).text();
    const ours = text.split(/^(?=# HELP )/m).filter((metric) => !metric.startsWith('# HELP nodejs_'));
    expect(ours.length).toBeGreaterThan(10);
    expect(await promtool(['check', 'metrics'], ours.join(''))).toEqual({ code: 0, output: '' });
    const asked = new Set(readFileSync(`${RULES}pointsman.rules.yaml`, 'utf8').match(/pointsman_[a-z_]+/g));
    const told = new Set([...text.matchAll(/^# HELP (\S+)/gm)].map((m) => m[1]));
    expect([...asked].filter((name) => !told.has(name))).toEqual([]);
  });
});

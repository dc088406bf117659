import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadAgentConfig } from '../../../agent/src/config/load.js';
import { loadControllerConfig } from '../../../controller/src/config/load.js';
import { configTexts } from './config-texts.js';
import type { Answers } from './questions.js';

const ANSWERS: Answers = {
  ...{ idcs: 'fra, ams,dub', hosts: 'ctl.fra.example,ctl.ams.example,ctl.dub.example' },
  ...{ kafka: 'k1.fra:9092, k2.fra:9092', standbyKafka: 'k1.ams:9092', connect: 'http://c.fra:8083' },
  ...{ standbyConnect: 'http://c.ams:8083', etcd: '', group: 'orders', topics: 'orders,pay-*' },
  ...{ consumerGroups: 'billing', maxLoss: '10000', maxLag: '30s' },
};

let dir: string;
beforeAll(() => (dir = mkdtempSync(join(tmpdir(), 'pointsman-init-'))));
afterAll(() => rmSync(dir, { recursive: true }));

const write = (answers: Answers): readonly string[] =>
  configTexts(answers).map(({ name, text }) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  });

it.each([
  ['the store as config center', ANSWERS],
  ['etcd', { ...ANSWERS, etcd: 'https://e1:2379, https://e2:2379' }],
])('makes files that the apps take, and that belong together: %s', (_name, answers) => {
  const files = write(answers);
  const controllers = files.filter((f) => f.includes('controller-')).map((f) => loadControllerConfig(f, {}));
  const agents = files.filter((f) => f.includes('agent-')).map((f) => loadAgentConfig(f));
  expect(new Set(controllers.map((c) => c.policyDigest)).size).toBe(1);
  expect(controllers.map((c) => c.idc)).toEqual(['fra', 'ams', 'dub']);
  expect(agents.map((a) => a.agent.id)).toEqual(controllers[0]?.observers.map((o) => o.agent));
  expect(agents.map((a) => a.clusters.map((c) => c.connectUrl !== null))).toEqual([
    [true, true],
    [true, true],
    [false, false],
  ]);
  expect(controllers[0]?.groups[0]).toMatchObject({ mode: 'observe', watch: { topics: ['orders', 'pay-*'] } });
});

it('says why: every file has comments', () => {
  for (const { text } of configTexts(ANSWERS)) expect(text.match(/#/g)?.length ?? 0).toBeGreaterThan(4);
});

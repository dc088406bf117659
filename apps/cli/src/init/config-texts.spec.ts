import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadAgentConfig } from '../../../agent/src/config/load.js';
import { loadControllerConfig } from '../../../controller/src/config/load.js';
import { configTexts } from './config-texts.js';
import { type Answers, hostOf } from './questions.js';

const ANSWERS: Answers = {
  ...{ idcs: 'fra, ams,dub', hosts: 'ctl.fra.example,ctl.ams.example,ctl.dub.example' },
  ...{ kafka: 'k1.fra:9092, k2.fra:9092', standbyKafka: 'k1.ams:9092', connect: 'http://c.fra:8083' },
  ...{ standbyConnect: 'http://c.ams:8083', etcd: '', group: 'orders', topics: 'orders,pay-*' },
  ...{ consumerGroups: 'billing', maxLoss: '10000', maxLag: '30s' },
  ...{ configDir: '/etc/pointsman', stateDir: '/var/lib/pointsman' },
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

it('puts ports and folders where they were asked for, on all sides', () => {
  const files = write({ ...ANSWERS, hosts: 'fra.example:8443:7443:9100,ams.example,dub.example', configDir: '/opt/p' });
  const controllers = files.filter((f) => f.includes('controller-')).map((f) => loadControllerConfig(f, {}));
  const agents = files.filter((f) => f.includes('agent-')).map((f) => loadAgentConfig(f));
  expect(controllers[0]?.http).toMatchObject({ port: 8443, advertise: 'https://fra.example:8443' });
  expect(controllers[0]?.http.tokenFile).toBe('/opt/p/secrets/api.token');
  expect(controllers.map((c) => c.grpc.listen)).toEqual(['0.0.0.0:7443', '0.0.0.0:9090', '0.0.0.0:9090']);
  expect(agents[2]?.controllers).toEqual(['fra.example:7443', 'ams.example:9090', 'dub.example:9090']);
  expect(agents[2]?.referenceTargets.map((t) => t.address)).toEqual(['fra.example:8443', 'ams.example:8080']);
  expect(agents.map((a) => a.tls?.certFile)).toEqual(['fra', 'ams', 'dub'].map((idc) => `/opt/p/tls/agent-${idc}.pem`));
});

it.each([
  ['ctl.example', { name: 'ctl.example', httpPort: 8080, grpcPort: 9090, metricsPort: 9464 }],
  ['ctl:1:2:3', { name: 'ctl', httpPort: 1, grpcPort: 2, metricsPort: 3 }],
  ['[::1]:8443', { name: '[::1]', httpPort: 8443, grpcPort: 9090, metricsPort: 9464 }],
  ['ctl:http', null],
  ['', null],
])('reads the host %j', (text, host) => {
  expect(hostOf(text)).toEqual(host);
});

it('says why: every file has comments', () => {
  for (const { text } of configTexts(ANSWERS)) expect(text.match(/#/g)?.length ?? 0).toBeGreaterThan(4);
});

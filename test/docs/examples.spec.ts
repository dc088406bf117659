import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { topicMatcher } from '#kafka';
import { loadAgentConfig } from '../../apps/agent/src/config/load.js';
import { readFlowSettings } from '../../apps/agent/src/probes/connectors.js';
import { loadControllerConfig } from '../../apps/controller/src/config/load.js';
import { connectProperties } from '../../tools/lab/connect-config.js';
import { flowConfig, mirrorClasses } from '../../tools/lab/flow-config.js';

// What an operator copies must load, and the connectors must be those that the lab's tests have proved.
const EXAMPLES = new URL('../../examples/', import.meta.url).pathname;
const BROKERS = (cluster: string): string[] => [1, 2, 3].map((i) => `kafka-${cluster}${i}.example:9092`);
const SECRETS = [
  'kafka-a-agent.password',
  'kafka-a-check.password',
  'kafka-b-agent.password',
  'kafka-b-check.password',
];
const CERTIFICATES = ['kafka-a-ca.pem', 'kafka-b-ca.pem'];

const connectorFile = z.strictObject({
  name: z.string(),
  initial_state: z.enum(['RUNNING', 'STOPPED']),
  config: z.record(z.string(), z.string()),
});
const connector = (name: string) =>
  connectorFile.parse(JSON.parse(readFileSync(join(EXAMPLES, 'mm2', `${name}.json`), 'utf8')));

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'pointsman-examples-'));
  cpSync(EXAMPLES, dir, { recursive: true });
  mkdirSync(join(dir, 'secrets'));
  for (const file of [...SECRETS, ...CERTIFICATES]) writeFileSync(join(dir, 'secrets', file), `${file}\n`);
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('the example configurations', () => {
  const controller = loadControllerConfig(join(EXAMPLES, 'controller.yaml'), {});

  it('are all looked at here', () => {
    const yaml = readdirSync(EXAMPLES).filter((f) => f.endsWith('.yaml'));
    expect(yaml.toSorted()).toEqual(['agent-sasl.yaml', 'agent-witness.yaml', 'agent.yaml', 'controller.yaml']);
    const json = readdirSync(join(EXAMPLES, 'mm2')).filter((f) => f.endsWith('.json'));
    expect(json.map((f) => f.replace('.json', '')).toSorted()).toEqual(
      ['a-b', 'b-a'].flatMap((flow) => ['cp', 'hb', 'src'].map((kind) => `${flow}-${kind}`)),
    );
  });

  it('start in observe: nothing is moved until somebody turns it on', () => {
    expect(controller.groups.map((g) => g.mode)).toEqual(['observe']);
  });

  it.each(['agent.yaml', 'agent-witness.yaml', 'agent-sasl.yaml'])(
    '%s belongs to the controller of controller.yaml',
    (file) => {
      const agent = loadAgentConfig(join(dir, file));
      expect(controller.observers).toContainEqual({ agent: agent.agent.id, idc: agent.agent.idc });
      expect(agent.clusters.map((c) => c.name)).toEqual(controller.clusters.map((c) => c.name));
      expect({ periodMs: agent.probe.periodMs, timeoutMs: agent.probe.timeoutMs }).toEqual(controller.probe);
      expect(agent.referenceTargets.length).toBeGreaterThanOrEqual(2);
      expect(agent.tls).not.toBeNull();
    },
  );

  it('give the witness no Connect worker, and every principal of the SASL agent a password from a file', () => {
    const witness = loadAgentConfig(join(dir, 'agent-witness.yaml'));
    expect(witness.clusters.map((c) => c.connectUrl)).toEqual([null, null]);
    const sasl = loadAgentConfig(join(dir, 'agent-sasl.yaml'));
    const passwords = sasl.clusters.flatMap((c) => [c.security.sasl?.password, c.ordinary?.security.sasl?.password]);
    expect(passwords).toEqual(SECRETS);
  });

  it('says in one message which secret file is missing', () => {
    expect(() => loadAgentConfig(join(EXAMPLES, 'agent-sasl.yaml'))).toThrow(/secrets\/kafka-a-agent\.password/);
  });
});

describe('the example connectors', () => {
  const group = loadControllerConfig(join(EXAMPLES, 'controller.yaml'), {}).groups[0]?.watch;
  if (group === undefined) throw new Error('examples/controller.yaml has no group');
  const active = group.clusters[0];

  for (const flow of group.flows) {
    const { source, checkpoint, heartbeat } = flow.connectors;
    const expected = flowConfig(
      {
        from: flow.from === 'a' ? 'a' : 'b',
        to: flow.to === 'a' ? 'a' : 'b',
        topics: group.topics,
        consumerGroups: group.consumerGroups,
        state: flow.from === active ? 'RUNNING' : 'STOPPED',
        naming: 'identity',
      },
      {
        sourceBootstrap: BROKERS(flow.from),
        targetBootstrap: BROKERS(flow.to),
        replicationFactor: 3,
        security: 'plaintext',
      },
    );

    it.each([
      [source, mirrorClasses.source],
      [checkpoint, mirrorClasses.checkpoint],
      [heartbeat, mirrorClasses.heartbeat],
    ])(`${flow.from} → ${flow.to}: %s is key by key what the lab creates`, (name, connectorClass) => {
      const file = connector(name);
      expect(file.name).toBe(name);
      expect(file.config).toEqual({ ...expected, 'connector.class': connectorClass });
    });

    it(`${flow.from} → ${flow.to}: only the flow out of the active cluster copies, heartbeats always run`, () => {
      const state = flow.from === active ? 'RUNNING' : 'STOPPED';
      expect([source, checkpoint, heartbeat].map((n) => connector(n).initial_state)).toEqual([state, state, 'RUNNING']);
    });

    it(`${flow.from} → ${flow.to}: the agent finds nothing in it that blocks a failover`, () => {
      const topics = ['orders', 'pay-card', 'orders-audit', 'heartbeats', 'mm2-offset-syncs.a.internal'];
      const configs = { source: connector(source).config, checkpoint: connector(checkpoint).config };
      const settings = readFlowSettings(flow, configs, topics, topicMatcher(group.topics));
      expect(settings).toMatchObject({ syncsTopicAcls: false, excludesMaxMessageBytes: true, foreignTopics: [] });
    });
  }

  it('run on a worker set up as the lab sets its own up', () => {
    const lines = readFileSync(join(EXAMPLES, 'mm2', 'worker.properties'), 'utf8').split('\n');
    const found = lines.filter((l) => l !== '' && !l.startsWith('#')).map((l) => l.split('=', 2));
    const lab = connectProperties({ bootstrapServers: BROKERS('b'), port: 8083, brokers: 3, security: 'plaintext' });
    const at = { listeners: 'http://connect-b.example:8083', 'rest.advertised.host.name': 'connect-b.example' };
    const expected = Object.entries({ ...lab, ...at }).map(([key, value]) => [key, String(value)]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
  });
});

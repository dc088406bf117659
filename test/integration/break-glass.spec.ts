import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { createSwitchingKafka, type SwitchingKafka } from '#client';
import { EtcdConfigCenter, type Pointer } from '#config-center';
import { type Lab, type LabClusterName, startLab } from '#lab';
import type { AuthorityStore } from '../../apps/controller/src/persistence/authority-store.port.js';
import { createAuthorityStore } from '../../apps/controller/src/persistence/create-authority-store.js';
import { cliEnvironment, type CliResult, mustBeBuilt, runCli } from './cli-rig.js';
import { controllerFile, GROUP, LoneController, type RawFile } from './lone-controller.js';

/**
 * docs/break-glass.md, as a person does it at night: both clusters live, etcd is the config center, and PostgreSQL and the
 * controller are gone. Order matters: each test goes on from the one before.
 */
let lab: Lab;
let center: EtcdConfigCenter;
let controller: LoneController;
let kafka: SwitchingKafka;
let raw: RawFile;
let before: Pointer;
let moved: Pointer;
let evidence: string;
const dir = (): string => join(lab.dir, 'ctl');
const file = (name: string): string => join(dir(), name);

beforeAll(async () => {
  mustBeBuilt();
  lab = await startLab({ clusters: { a: { brokers: 1 }, b: { brokers: 1 } }, etcd: true });
  center = new EtcdConfigCenter({ endpoints: [await lab.etcdUrl('c')], pollIntervalMs: 100 });
  for (const cluster of ['a', 'b'] as const) await lab.createTopic(cluster, { name: 'orders', partitions: 1 });
  await lab.createFlow({ from: 'a', to: 'b', topics: ['orders'], consumerGroups: ['billing'], state: 'RUNNING' });
  raw = { ...(await controllerFile(lab, dir())), clusters: ['a', 'b'].map(clusterEntry) };
  writeKey();
  writeFileSync(file('agent.yaml'), stringify(agentFile()));
  controller = await LoneController.start(lab, dir(), { ...raw, breakGlass: { keyFile: file('break-glass.key') } });
  before = await controller.until('the group exists', async () => (await center.read(GROUP)) ?? undefined);
  const clusters = Object.fromEntries(
    (['a', 'b'] as const).map((name) => [name, { brokers: lab.bootstrapServers(name, 'c'), requestTimeout: 3_000 }]),
  );
  kafka = createSwitchingKafka({ group: GROUP, pointers: center, clusters, pollIntervalMs: 500 });
});
afterAll(async () => {
  await kafka?.close();
  await center?.close();
  await lab?.close();
});

const clusterEntry = (name: string) => ({
  ...{ name, idc: name },
  bootstrapServers: lab.bootstrapServers(name as LabClusterName, 'c'),
});

const agentFile = () => ({
  kind: 'Agent',
  agent: { id: 'agent-c', idc: 'c', dataDir: file('agent-c') },
  controllers: ['127.0.0.1:9'],
  plaintext: true,
  clusters: (['a', 'b'] as const).map((name) => ({
    ...{ name, bootstrapServers: lab.bootstrapServers(name, 'c'), connectUrl: lab.connectUrl(name, 'c') },
  })),
});

function writeKey(): void {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(file('break-glass.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(file('break-glass.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
}

const cli = (args: readonly string[]): Promise<CliResult> =>
  runCli(args, cliEnvironment(controller.url, file('api.token')));

const breakGlass = (more: readonly string[] = [], config: readonly string[] = ['ctl-c.yaml', 'agent.yaml']) =>
  cli([
    ...['break-glass', ...config.flatMap((name) => ['--config', file(name)]), '--group', GROUP, '--to', 'b'],
    ...['--reason', 'INC-4711: the store is gone', ...more],
  ]);

const evidenceFiles = (): readonly string[] =>
  existsSync(file('break-glass'))
    ? readdirSync(file('break-glass')).map((name) => join(file('break-glass'), name))
    : [];

async function maxMessageBytes(cluster: LabClusterName): Promise<string> {
  const admin = lab.kafka(cluster).admin();
  await admin.connect();
  const resource = { type: 2, name: 'orders', configNames: ['max.message.bytes'] };
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] });
  await admin.disconnect();
  return resources[0]?.configEntries[0]?.configValue ?? '';
}

async function withStore<T>(work: (store: AuthorityStore) => Promise<T>): Promise<T> {
  const store = await createAuthorityStore({ url: await lab.postgresUrl('c'), poolSize: 1 });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

describe('while everything but the config center is down', () => {
  it('clients write to a, and then controller and store are gone', async () => {
    const producer = kafka.producer();
    expect(await producer.send({ topic: 'orders', messages: [{ value: 'before' }] })).toMatchObject({ cluster: 'a' });
    await lab.stop({ process: 'ctl-c' });
    await lab.kill({ postgres: true });
  });

  it('a dry run says what is so and what would be done, and changes nothing', async () => {
    const open = await maxMessageBytes('a');
    const { code, out, err } = await breakGlass(['--dry-run']);
    expect({ code, err }).toMatchObject({ code: 0, err: expect.stringContaining('NOTHING WAS CHANGED') });
    expect(out).toContain(`would be published: b at epoch ${before.epoch + 1_000}`);
    expect(out).toContain('a is open');
    expect(out).toContain('a → b is running');
    expect(await center.read(GROUP)).toEqual(before);
    expect(await center.claimedTerm(GROUP)).toBe(before.term);
    expect(await maxMessageBytes('a')).toBe(open);
    expect(evidenceFiles()).toEqual([]);
  });

  it.each([
    ['without a name and without a terminal', [], 2],
    ['with another name', ['--confirm=a'], 5],
    ['of a group that is not there', ['--group', 'pay', '--confirm=b'], 2],
    ['to a cluster that is not there', ['--to', 'z', '--confirm=z'], 2],
    ['to the cluster that is active', ['--to', 'a', '--confirm=a'], 6],
  ])('%s nothing is changed', async (_name, more, code) => {
    expect((await breakGlass(more)).code).toBe(code);
    expect(await center.read(GROUP)).toEqual(before);
    expect(evidenceFiles()).toEqual([]);
  });

  it('without a key to sign with nothing is begun', async () => {
    writeFileSync(file('no-key.yaml'), stringify(raw));
    const { code, err } = await breakGlass(['--confirm=b'], ['no-key.yaml']);
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining('openssl genpkey') });
    expect(await center.claimedTerm(GROUP)).toBe(before.term);
  });

  it('where the SQL store is itself the config center it says so, and touches nothing', async () => {
    const sql = [{ name: 'main', type: 'sql', urlFile: file('store.url') }];
    const own = { ...raw, configCenters: sql, breakGlass: { keyFile: file('break-glass.key') } };
    writeFileSync(file('sql.yaml'), stringify(own));
    const { code, err } = await breakGlass(['--confirm=b'], ['sql.yaml', 'agent.yaml']);
    expect({ code, err }).toMatchObject({ code: 6, err: expect.stringContaining('IS the SQL store') });
    expect(evidenceFiles()).toEqual([]);
  });

  it('closes a, stops the flow, opens b, publishes above every epoch, and clients follow', async () => {
    const { code, out, err } = await breakGlass(['--confirm=b', '-o', 'json']);
    expect({ code, err }).toMatchObject({ code: 0, err: expect.stringContaining(`pointsman ack ${GROUP}`) });
    const said = JSON.parse(out) as { whole: boolean; evidence: { path: string; digest: string } };
    expect(said).toMatchObject({ whole: true, active: 'b', epoch: before.epoch + 1_000 });
    evidence = said.evidence.path;
    moved = (await center.read(GROUP)) as Pointer;
    expect(moved).toMatchObject({ activeCluster: 'b', mode: 'ACTIVE', epoch: before.epoch + 1_000 });
    expect(moved).toMatchObject({ sagaId: expect.stringMatching(/^break-glass:/) });
    expect(moved.bootstrapServers).toEqual(lab.bootstrapServers('b', 'c'));
    expect(await center.claimedTerm(GROUP)).toBe(moved.term);
    expect(moved.term).toBeGreaterThan(before.term);
    expect(await maxMessageBytes('a')).toBe('1');
    expect(await maxMessageBytes('b')).not.toBe('1');
    await vi.waitFor(() => expect(kafka.current()).toMatchObject({ activeCluster: 'b' }), 10_000);
    const outcome = await kafka.producer().send({ topic: 'orders', messages: [{ value: 'after' }] });
    expect(outcome).toMatchObject({ cluster: 'b', epoch: moved.epoch });
  });

  it('leaves evidence that verifies, and that a change breaks', async () => {
    expect(evidenceFiles()).toEqual([evidence]);
    const verify = (path: string) => cli(['break-glass', 'verify', path, '--key', file('break-glass.pub')]);
    const good = await verify(evidence);
    expect({ code: good.code, out: good.out }).toMatchObject({ code: 0, out: expect.stringContaining('by kim at') });
    const changed = file('changed.json');
    writeFileSync(changed, readFileSync(evidence, 'utf8').replace('"by": "kim"', '"by": "max"'));
    expect(await verify(changed)).toMatchObject({ code: 1, out: expect.stringContaining('BROKEN') });
  });

  it('again, it publishes nothing and finishes what was left over', async () => {
    const { code, out } = await breakGlass(['--confirm=b']);
    expect({ code, out }).toMatchObject({
      code: 0,
      out: expect.stringContaining(`b is active at epoch ${moved.epoch}`),
    });
    expect(await center.read(GROUP)).toEqual(moved);
    expect(evidenceFiles()).toHaveLength(2);
  });

  it('without an agent’s file it says loudly what is not done, and what to type', async () => {
    const { code, out, err } = await breakGlass(['--confirm=b'], ['ctl-c.yaml']);
    expect(code).toBe(3);
    expect(out).toContain('a WAS NOT FENCED');
    expect(err).toContain('kafka-acls.sh --bootstrap-server');
  });
});

describe('when store and controller are back', () => {
  it('the group is frozen, its row and its goals follow the pointer, and nothing is overwritten', async () => {
    await lab.start({ postgres: true });
    const from = controller.process.lines.length;
    await lab.start({ process: 'ctl-c' });
    await controller.serves(from);
    const seen = await controller.until('the group is frozen', async () => {
      const group = await controller.api.get<{ frozen: string | null; active: string; epoch: number }>(
        `/v1/groups/${GROUP}`,
      );
      return group.frozen === null ? undefined : group;
    });
    expect(seen).toMatchObject({ active: 'b', epoch: moved.epoch });
    expect(seen.frozen).toContain('break-glass');
    expect(await center.read(GROUP)).toEqual(moved);
    const goals = (await withStore((store) => store.goals())).map((g) =>
      g.subject === 'cluster' ? `${g.cluster} ${g.state}` : g.state,
    );
    expect(goals.toSorted()).toEqual(['a fenced', 'b open', 'stopped', 'stopped']);
  });

  it('an acknowledgement ends the freeze, and the audit keeps the digest of the evidence', async () => {
    const ack = await cli(['ack', GROUP, '--reason', 'INC-4711, checked', '--evidence', evidence]);
    expect({ code: ack.code, err: ack.err }).toEqual({ code: 0, err: '' });
    expect(await controller.api.get(`/v1/groups/${GROUP}`)).toMatchObject({ frozen: null, active: 'b' });
    const { audit } = await controller.api.get<{ audit: readonly { action: string; detail: unknown }[] }>(
      '/v1/audit?limit=500',
    );
    expect(audit.findLast((row) => row.action === 'acknowledge')?.detail).toMatchObject({
      evidence: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      authenticated: 'file-token',
      before: { frozen: expect.stringContaining('break-glass'), rejoin: ['a'] },
    });
    expect(await controller.api.get('/v1/audit/verify')).toMatchObject({ ok: true });
  });

  it('and the next comparison of store and config center agrees', async () => {
    const from = controller.process.lines.length;
    await lab.stop({ process: 'ctl-c' });
    await lab.start({ process: 'ctl-c' });
    await controller.serves(from);
    const { term } = await controller.until('it leads and has claimed', async () => {
      const lease = await withStore((store) => store.readLease());
      return lease.holder === 'ctl-c' && (await center.claimedTerm(GROUP)) === lease.term ? lease : undefined;
    });
    expect(term).toBeGreaterThanOrEqual(moved.term);
    expect(await controller.api.get(`/v1/groups/${GROUP}`)).toMatchObject({ frozen: null, active: 'b' });
    expect(await center.read(GROUP)).toEqual(moved);
  });
});

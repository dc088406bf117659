import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ClusterGoal, Command, FlowGoal } from '#failover';
import { FakeHands } from '../fakes/fake-hands.js';
import { BlackHoleLink } from './black-hole-link.js';
import { type CertificateFiles, TestAuthority } from './certificates.js';
import { PROBE, TestAgent, type TestAgentOptions, TestController, watchGroup } from './session-rig.js';

let dir: string;
let authority: TestAuthority;
let controllerTls: CertificateFiles;
const opened: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pointsman-session-'));
  authority = await TestAuthority.create(dir);
  controllerTls = await authority.issue('ctl-a');
});

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function controller(over: Parameters<typeof TestController.start>[0] = {}): Promise<TestController> {
  const started = await TestController.start({ grpc: { listen: '', tls: controllerTls }, ...over });
  opened.push(() => started.close());
  return started;
}

async function agent(idc: string, ports: readonly number[], over: TestAgentOptions = {}): Promise<TestAgent> {
  const tls = over.tls ?? (await authority.issue(over.id ?? `agent-${idc}`));
  const started = await TestAgent.start(idc, ports, { ...over, tls });
  opened.push(async () => {
    await started.stop();
    started.forget();
  });
  return started;
}

const until = (what: () => void | Promise<void>, timeout = 8_000): Promise<void> =>
  vi.waitFor(what, { timeout, interval: 20 });

const fence = (epoch: number, term: number, state: ClusterGoal['state'] = 'fenced'): ClusterGoal => ({
  subject: 'cluster',
  group: 'orders',
  cluster: 'a',
  state,
  epoch,
  term,
  topics: ['orders'],
});

const stopFlow = (epoch: number, term: number): FlowGoal => ({
  subject: 'flow',
  group: 'orders',
  from: 'a',
  to: 'b',
  state: 'stopped',
  epoch,
  term,
  connectors: watchGroup.flows[0].connectors,
});

const command = (id: string, over: Partial<Command> = {}): Command => ({
  id,
  term: 3,
  epoch: 8,
  group: 'orders',
  deadlineMs: 2_000,
  body: { kind: 'canary', cluster: 'a', topic: 'orders', principal: 'agent' },
  ...over,
});

describe('a session over mutual TLS', () => {
  it('brings reports to leader and standby alike; only the leader is obeyed', async () => {
    const leader = await controller();
    const standby = await controller({ controllerId: 'ctl-b' });
    leader.leadership.lead(3);
    standby.leadership.follow({ id: 'ctl-a', advertise: '' }, 3);
    const own = await agent('a', [leader.port, standby.port]);
    for (const c of [leader, standby]) await until(() => expect(c.vote('a', 'agent-a')).toBe('UP'));
    expect(own.probes.get('a')).toMatchObject({ idc: 'a', watch: [{ name: 'orders', active: 'a', epoch: 7 }] });
    expect(await standby.gateway.command('agent-a', command('c1'))).toMatchObject({ ok: false, code: 'unavailable' });
    standby.gateway.setGoals(3, [fence(8, 3)]);
    expect(await leader.gateway.command('agent-a', command('c2'))).toMatchObject({ ok: true });
    expect(own.hands.ran.map((c) => c.id)).toEqual(['c2']);
    expect(own.hands.applied).toEqual([]);
  });

  it('goes on with the others when one controller cannot be reached', async () => {
    const c = await controller();
    const nobody = await BlackHoleLink.to(() => 1);
    opened.push(() => nobody.close());
    await agent('a', [nobody.port, c.port]);
    await until(() => expect(c.vote('a', 'agent-a')).toBe('UP'));
  });

  it.each([
    ['a certificate of another agent', 'a', 'agent-b', 'agent-a'],
    ['an agent that is no observer', 'a', 'agent-x', 'agent-x'],
    ['an agent that says it stands elsewhere', 'c', 'agent-a', 'agent-a'],
  ])('refuses %s', async (_what, idc, certified, id) => {
    const c = await controller();
    await agent(idc, [c.port], { id, tls: await authority.issue(certified) });
    await agent('b', [c.port]);
    await until(() => expect(c.vote('a', 'agent-b')).toBe('UP'));
    expect(c.connected('agent-a')).toBe(false);
    expect(c.snapshots.build('orders', null).observers.find((o) => o.agent === 'agent-a')?.ageMs).toBeNull();
  });

  it('refuses a certificate of another authority', async () => {
    const c = await controller();
    const foreign = await (await TestAuthority.create(join(dir, 'foreign'))).issue('agent-a');
    await agent('a', [c.port], { tls: { ...foreign, caFile: controllerTls.caFile } });
    await agent('b', [c.port]);
    await until(() => expect(c.vote('a', 'agent-b')).toBe('UP'));
    expect(c.connected('agent-a')).toBe(false);
  });
});

describe('goals', () => {
  it('are carried out by the own agent, watched by the others, and reported side by side', async () => {
    const c = await controller();
    c.leadership.lead(3);
    const a = await agent('a', [c.port]);
    const b = await agent('b', [c.port], { hands: new FakeHands(a.hands.world) }); // what it watches is a's doing
    await until(() => expect([c.vote('a', 'agent-a'), c.vote('b', 'agent-b')]).toEqual(['UP', 'UP']));
    c.gateway.setGoals(3, [fence(8, 3), stopFlow(8, 3)]);
    await until(() => {
      expect(c.gateway.goalStatus('orders/cluster/a')).toMatchObject({ observed: 'fenced', reached: true, epoch: 8 });
      expect(c.gateway.goalStatus('orders/flow/a->b')).toMatchObject({ observed: 'stopped', reached: true });
    });
    expect(a.hands.applied.every((g) => g.subject === 'cluster')).toBe(true);
    expect(b.hands.applied.every((g) => g.subject === 'flow')).toBe(true);
    await until(() =>
      expect(c.snapshots.build('orders', null).fences[0]).toMatchObject({ cluster: 'a', state: 'fenced', epoch: 8 }),
    );
  });

  it('fences a returning cluster in the round in which it answers', async () => {
    const c = await controller();
    c.leadership.lead(3);
    const a = await agent('a', [c.port]);
    const probe = a.probes.get('a');
    if (probe === undefined) throw new Error('no probe');
    probe.weather = 'refused';
    await until(() => expect(c.vote('a', 'agent-a')).toBe('DOWN'));
    c.gateway.setGoals(3, [fence(8, 3)]);
    await until(() => expect(c.gateway.goalStatus('orders/cluster/a')).toMatchObject({ reached: false }));
    expect(a.hands.applied).toEqual([]);
    probe.weather = 'up';
    await until(() => expect(a.hands.applied.length).toBeGreaterThan(0), PROBE.periodMs + PROBE.timeoutMs);
  });

  it('names a stand-in only while the own agent is silent, and takes it back', async () => {
    const c = await controller();
    c.leadership.lead(3);
    const b = await agent('b', [c.port]);
    await until(() => expect(c.vote('a', 'agent-b')).toBe('UP'));
    c.gateway.setGoals(3, [fence(8, 3)]);
    await until(() => expect(b.hands.applied.map((g) => g.subject)).toContain('cluster'));
    const a = await agent('a', [c.port]);
    await until(() => expect(a.hands.applied.length).toBeGreaterThan(0));
    const before = b.hands.applied.length;
    await until(() => expect(a.hands.applied.length).toBeGreaterThan(3));
    expect(b.hands.applied.length - before).toBeLessThanOrEqual(1);
  });

  it('of an opening say what a stand-in remembers of the topics that it closed', async () => {
    const c = await controller();
    c.leadership.lead(3);
    const b = await agent('b', [c.port]);
    b.hands.remembers = { orders: '2000000' };
    await until(() => expect(c.vote('a', 'agent-b')).toBe('UP'));
    c.gateway.setGoals(3, [fence(8, 3)]);
    await until(() => expect(b.hands.applied.map((g) => g.subject)).toContain('cluster'));
    const a = await agent('a', [c.port]);
    await until(() => expect(a.hands.applied.length).toBeGreaterThan(0));
    c.gateway.setGoals(3, [fence(9, 3, 'open')]);
    await until(() => expect(a.hands.applied.at(-1)).toMatchObject({ state: 'open', previous: { orders: '2000000' } }));
    b.hands.remembers = {};
    await until(() => expect(a.hands.applied.at(-1)).not.toHaveProperty('previous'), 30_000); // b looks each 10 s
  });

  it('of a lower term or epoch are refused, also after a restart of the agent', async () => {
    const c = await controller();
    c.leadership.lead(5);
    const first = await agent('a', [c.port]);
    await until(() => expect(c.vote('a', 'agent-a')).toBe('UP'));
    c.gateway.setGoals(5, [fence(9, 5)]);
    await until(() => expect(first.hands.applied.length).toBeGreaterThan(0));
    await first.stop();
    c.leadership.lead(4);
    const hands = new FakeHands();
    await agent('a', [c.port], { dataDir: first.dataDir, hands });
    await until(() => expect(c.connected('agent-a')).toBe(true));
    c.gateway.setGoals(4, [fence(10, 4, 'open')]);
    const old = await c.gateway.command('agent-a', command('c1', { term: 4, epoch: 10 }));
    expect(old).toMatchObject({ ok: false, code: 'refused_term' });
    c.leadership.lead(6);
    const lower = await c.gateway.command('agent-a', command('c2', { term: 6, epoch: 8 }));
    expect(lower).toMatchObject({ ok: false, code: 'refused_epoch' });
    expect(hands.ran).toEqual([]);
    expect(hands.applied).toEqual([]);
  });
});

describe('commands', () => {
  it('have one effect per id, however often they are sent', async () => {
    const c = await controller();
    c.leadership.lead(3);
    const a = await agent('a', [c.port]);
    await until(() => expect(c.gateway.agentsFor('a')).toEqual(['agent-a']));
    const first = await c.gateway.command('agent-a', command('c1'));
    const again = await c.gateway.command('agent-a', command('c1'));
    expect([first, again]).toEqual([
      expect.objectContaining({ id: 'c1', ok: true }),
      expect.objectContaining({ id: 'c1', ok: true }),
    ]);
    expect(a.hands.ran).toHaveLength(1);
  });

  it('end at their deadline, at a cancel, and with the session', async () => {
    const c = await controller();
    c.leadership.lead(3);
    const a = await agent('a', [c.port]);
    a.hands.hang = true;
    await until(() => expect(c.gateway.agentsFor('a')).toEqual(['agent-a']));
    const late = await c.gateway.command('agent-a', command('c1', { deadlineMs: 100 }));
    expect(late).toMatchObject({ ok: false, code: 'expired' });
    expect(a.hands.aborted).toBe(1);
    const cancel = new AbortController();
    const cancelled = c.gateway.command('agent-a', command('c2'), cancel.signal);
    await until(() => expect(a.hands.ran).toHaveLength(2));
    cancel.abort();
    expect(await cancelled).toMatchObject({ ok: false, code: 'unavailable' });
    const orphan = c.gateway.command('agent-a', command('c3'));
    await until(() => expect(a.hands.ran).toHaveLength(3));
    const stopping = a.stop();
    expect(await orphan).toMatchObject({ ok: false, code: 'unavailable' });
    await stopping;
  });
});

describe('ends', () => {
  it('are followed by a new handshake and a full report when the controller restarts', async () => {
    const first = await TestController.start({ grpc: { listen: '', tls: controllerTls } });
    const a = await agent('a', [first.port]);
    a.probes.get('b')!.flows = [{ group: 'orders', facts: { ...aFlow, lagRecords: 12 } }];
    await until(() => expect(first.snapshots.build('orders', null).flows[0]?.lagRecords).toBe(12));
    await first.close();
    const second = await controller({ port: first.port });
    await until(() => expect(second.vote('a', 'agent-a')).toBe('UP'));
    await until(() => expect(second.snapshots.build('orders', null).flows[0]?.perPartition).toHaveLength(1));
  });

  it('by a black hole are noticed on both sides in less than 2 s', async () => {
    const c = await controller();
    const link = await BlackHoleLink.to(() => c.port);
    opened.push(() => link.close());
    const a = await agent('a', [link.port]);
    await until(() => expect(c.connected('agent-a')).toBe(true));
    link.swallow(true);
    const noticed = Date.now() + 2_000;
    await until(() => expect(c.connected('agent-a')).toBe(false), 2_000);
    await until(() => expect(a.service.connectedTo()).toEqual([]), Math.max(1, noticed - Date.now()));
    link.swallow(false);
    await until(() => expect(c.connected('agent-a')).toBe(true), 5_000);
  });

  it('by a planned stop are told from silence', async () => {
    const c = await controller();
    const a = await agent('a', [c.port]);
    const b = await agent('b', [c.port]);
    await until(() => expect([c.vote('a', 'agent-a'), c.vote('a', 'agent-b')]).toEqual(['UP', 'UP']));
    await a.stop();
    const observers = () => c.snapshots.build('orders', null).observers;
    await until(() => expect(observers()[0]?.goodbyeAgeMs).toBeGreaterThanOrEqual(0));
    expect(observers()[1]?.goodbyeAgeMs).toBeNull();
    await until(() => expect(c.vote('a', 'agent-a')).toBe('STALE'));
    await agent('a', [c.port]);
    await until(() => expect(observers()[0]?.goodbyeAgeMs).toBeNull());
    expect(b.hands.closed).toBe(false);
  });
});

const aFlow = {
  from: 'a',
  to: 'b',
  lagRecords: 0,
  lagMs: 100,
  heartbeatAgeMs: 500,
  observedAgeMs: 10,
  sourceConnector: 'RUNNING',
  checkpointConnector: 'RUNNING',
  perPartition: [
    { topic: 'orders', partition: 0, sourceEnd: 20, replicated: 8, sourceEndAgeMs: 10, replicatedAgeMs: 10 },
  ],
} as const;

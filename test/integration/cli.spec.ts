import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sampleVotes } from '#failover';
import { waitFor } from '#lab';
import { type ApiApp, TOKEN } from './api-app.js';
import { CLI_MAIN as MAIN, CliRig, mustBeBuilt, runCli, type CliResult } from './cli-rig.js';

let rig: CliRig;
let folder: string;
let api: ApiApp;
let children: ChildProcess[];

beforeAll(mustBeBuilt);
beforeEach(async () => {
  rig = await CliRig.start();
  ({ folder, api } = rig);
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rig.close();
});

const environment = (more: Record<string, string> = {}): NodeJS.ProcessEnv => rig.environment(more);
const cli = (args: readonly string[], more: Record<string, string> = {}): Promise<CliResult> =>
  runCli(args, environment(more));

const kill = () =>
  api.decisions.see({
    votes: {
      a: sampleVotes({ a: 'refused', b: 'silent', c: 'silent' }, 6_400),
      b: sampleVotes({ a: 'up', b: 'up', c: 'up' }),
    },
  });

describe('pointsman status', () => {
  it('prints one line a group and exits 0 when all is steady', async () => {
    const { code, out, err } = await cli(['status']);
    expect(out.split('\n').slice(0, 2)).toEqual([
      'GROUP   ACTIVE  MODE  ROW         LAG             EPOCH  LEADER          OBSERVERS',
      'orders  a → b   auto  800 Steady  0.4 s of 30 s       7  ctl-a (term 1)  a UP  b UP  c UP',
    ]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  it('shows the countdown and exits 3 when it is not', async () => {
    kill();
    const { code, out } = await cli(['status']);
    expect(out).toMatch(
      /orders {2}a → b {3}auto {2}400 AttestedDeath {2}▓▓░░░░ 7\.4 of 20 s, acts \d\d:\d\d:\d\dZ; blocked by: LAG_UNKNOWN\n {8}votes on a: a DOWN {2}b DOWN {2}c DOWN\n {8}the active cluster is dead/,
    );
    expect(code).toBe(3);
  });

  it('prints the body of the API unchanged with -o json', async () => {
    const { out, code } = await cli(['status', '-o', 'json']);
    const served = await fetch(`${api.url}/v1/groups`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(out).toBe(`${await served.text()}\n`);
    expect(code).toBe(0);
  });

  it('-w looks again and outlives a controller', async () => {
    const child = spawn(process.execPath, [MAIN, 'status', '-w'], { env: environment() });
    children.push(child);
    let out = '';
    let err = '';
    child.stdout.on('data', (d: Buffer) => (out += d.toString()));
    child.stderr.on('data', (d: Buffer) => (err += d.toString()));
    const seen = (what: string, text: () => string) =>
      waitFor(what, () => text().includes(what) || undefined, { timeoutMs: 15_000, pollMs: 20 });
    await seen('800 Steady', () => out);
    kill();
    await seen('400 AttestedDeath', () => out);
    await rig.controllers.stop(api);
    await seen('ECONNREFUSED', () => err);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    expect(await exited).toBe(1);
  });
});

describe('reading', () => {
  it('explains now and back then', async () => {
    kill();
    await api.addDecision();
    api.decisions.see();
    const now = await cli(['explain', 'orders']);
    expect(now.out).toMatch(/^orders: row 800 Steady/);
    const then = await cli(['explain', 'orders', '--event', '1']);
    expect(then.out).toMatch(/^orders: row 400 AttestedDeath/);
    expect(Math.max(...then.out.split('\n').map((l) => l.length))).toBeLessThanOrEqual(100);
    const unknown = await cli(['explain', 'nope']);
    expect(unknown).toMatchObject({ code: 1, out: '' });
    expect(unknown.err).toContain('Groups of this controller: orders');
  });

  it('lists events, and follows them over a restart of the stream', async () => {
    await api.addEvents({ summary: 'first' }, { summary: 'second' });
    const listed = await cli(['events']);
    expect(listed.out).toMatch(/ 1 {2}2026-11-20T14:02:31Z {2}orders {6}saga {8}410 {2}first\n/);
    const b = await rig.controllers.start('ctl-b');
    const env = environment({ POINTSMAN_SERVER: `${b.url},${api.url}` });
    const child = spawn(process.execPath, [MAIN, 'events', '-f', '-o', 'json', '--limit', '1'], { env });
    children.push(child);
    let out = '';
    child.stdout.on('data', (d: Buffer) => (out += d.toString()));
    const lines = (n: number) =>
      waitFor(`${n} events`, () => (out.trim().split('\n').length >= n && out !== '') || undefined, {
        timeoutMs: 15_000,
      });
    await lines(1);
    await api.addEvents({ summary: 'third' });
    await lines(2);
    await rig.controllers.stop(b);
    await api.addEvents({ summary: 'fourth' });
    await lines(3);
    const seqs = out
      .trim()
      .split('\n')
      .map((l) => (JSON.parse(l) as { seq: number }).seq);
    expect(seqs).toEqual([2, 3, 4]);
  });
});

describe('writing', () => {
  it('pauses, resumes, acknowledges and accepts loss', async () => {
    const paused = await cli(['pause', 'orders', '--reason', 'upgrade', '--expires-in', '2h']);
    expect(paused).toMatchObject({ code: 0, err: '' });
    expect(paused.out).toMatch(/^orders: paused by kim until /);
    expect((await cli(['resume', 'orders', '--reason', 'done'])).code).toBe(0);
    expect((await cli(['ack', 'orders', '--reason', 'seen'])).code).toBe(0);
    const loss = ['accept-loss', 'orders', '--reason', 'INC-1', '--max-records', '50', '--expires-in', '30m'];
    expect((await cli(loss)).code).toBe(0);
    const audit = await api.store.audit(0, 10);
    expect(audit.map((a) => [a.action, a.actor])).toEqual([
      ['pause', 'operator:kim'],
      ['resume', 'operator:kim'],
      ['acknowledge', 'operator:kim'],
      ['accept-loss', 'operator:kim'],
    ]);
  });

  it('goes on to the leader when a standby answers first', async () => {
    const b = await rig.controllers.start('ctl-b');
    b.leadership.follow(api.leadership.me, 1);
    expect(await cli(['ack', 'orders', '--reason', 'seen'], { POINTSMAN_SERVER: b.url })).toMatchObject({
      code: 0,
      err: '',
    });
    expect(rig.controllers.database.tables.audit).toHaveLength(1);
  });

  it('a dry run changes nothing and ends with the command that would', async () => {
    const { code, err } = await cli([
      'pause',
      'orders',
      '--reason',
      "kim's upgrade",
      '--expires-in',
      '2h',
      '--dry-run',
    ]);
    expect(code).toBe(0);
    expect(err).toContain('NOTHING WAS CHANGED');
    expect(err).toContain(
      `pointsman pause orders --reason 'kim'\\''s upgrade' --by kim --owner kim --expires-in 2h --epoch 7`,
    );
    expect(rig.controllers.database.tables.audit).toHaveLength(0);
  });
});

describe('exit codes', () => {
  it.each([
    ['2 for a missing option', ['ack', 'orders'], 2, '--reason'],
    ['2 for an unknown command', ['statsu'], 2, 'status'],
    [
      '2 for a body that the API cannot use',
      ['pause', 'orders', '--reason', 'x', '--expires-in', 'soon'],
      2,
      '/expiresIn',
    ],
    ['6 for what is refused', ['resume', 'orders', '--reason', 'x'], 6, 'not paused'],
    ['6 for an epoch that has passed', ['ack', 'orders', '--reason', 'x', '--epoch', '6'], 6, 'epoch 7'],
  ])('%s', async (_name, args, code, message) => {
    const result = await cli(args);
    expect(result.code).toBe(code);
    expect(result.err).toContain(message);
    expect(result.out).toBe('');
  });

  it('7 without the right token', async () => {
    expect((await cli(['status', '--token-file', join(folder, 'wrong')])).code).toBe(7);
    expect((await cli(['status'], { POINTSMAN_TOKEN_FILE: '' })).code).toBe(7);
  });

  it('4 when nobody answers in time, 1 when nobody is there', async () => {
    const hold = rig.controllers.database.holdNext('read', 'ctl-a'); // on a busy machine the time may be up before it is reached
    try {
      expect((await cli(['events', '--timeout', '300ms'])).code).toBe(4);
    } finally {
      hold.release();
    }
    const nobody = await cli(['status', '--server', 'http://127.0.0.1:9']);
    expect(nobody.code).toBe(1);
    expect(nobody.err).toContain('--server');
  });
});

describe('what needs no controller', () => {
  it('tells version and help with examples', async () => {
    expect((await cli(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
    const help = await cli(['--help']);
    expect(help.code).toBe(0);
    expect(help.out).toContain('pointsman status -w');
  });

  it('simulates a scenario file with the code that decides', async () => {
    const { code, out } = await cli(['simulate', 'test/scenarios/death.yaml']);
    expect(code).toBe(0);
    expect(out).toMatch(/400 AttestedDeath +failover +nothing/);
    expect(Math.max(...out.split('\n').map((l) => l.length))).toBeLessThanOrEqual(100);
    await writeFile(join(folder, 's.yaml'), 'name: wrong\nphases: [{for: 10s, expect: {row: 120}}]\n');
    const failing = await cli(['simulate', join(folder, 's.yaml')]);
    expect(failing.code).toBe(1);
    expect(failing.out).toContain('NOT AS EXPECTED');
    await writeFile(join(folder, 'bad.yaml'), 'name: x\nfases: []\n');
    const bad = await cli(['simulate', join(folder, 'bad.yaml')]);
    expect(bad.code).toBe(2);
    expect(bad.err).toContain('fases');
  });

  it('doctor reads configuration files with the rules of the apps that will', async () => {
    const good = await cli(['doctor', '--config', 'examples/controller.yaml', 'examples/agent.yaml']);
    expect(good).toMatchObject({ code: 0, err: '' });
    await writeFile(join(folder, 'c.yaml'), 'kind: Controller\ncontroler: {}\n');
    const bad = await cli(['doctor', '--config', join(folder, 'c.yaml')]);
    expect(bad.code).toBe(1);
    expect(bad.out).toMatch(/c\.yaml:2:1 controler: unknown\s+key/);
    expect(bad.out.split('BAD').length).toBeGreaterThan(3);
  });

  it('doctor asks the controllers', async () => {
    const announced = { idc: 'a', advertise: api.url, policyDigest: 'd1', beats: 1, version: '0.0.1' };
    for (const idc of ['a', 'b', 'c']) await api.store.announceController({ ...announced, id: `ctl-${idc}`, idc });
    const good = await cli(['doctor']);
    expect(good.out).toMatch(/^ok {4}leader: ctl-a$/m);
    expect(good.code).toBe(0);
    await api.store.announceController({ ...announced, id: 'ctl-b', idc: 'b', policyDigest: 'd2', version: '0.0.2' });
    api.leadership.follow(null);
    const bad = await cli(['doctor', '--server', api.url, '--server', 'http://127.0.0.1:9']);
    for (const name of ['leader', 'versions', 'policy', 'controller http://127.0.0.1:9']) {
      expect(bad.out).toContain(`BAD   ${name}:`);
    }
    expect(bad.code).toBe(1);
  });
});

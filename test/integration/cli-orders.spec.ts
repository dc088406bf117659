import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sampleFlow, sampleVotes } from '#failover';
import type { ApiApp } from './api-app.js';
import { CliRig, mustBeBuilt, runCli, type CliResult } from './cli-rig.js';

let rig: CliRig;
let api: ApiApp;

beforeAll(mustBeBuilt);
beforeEach(async () => {
  rig = await CliRig.start();
  api = rig.api;
});
afterEach(() => rig.close());

const cli = (args: readonly string[]): Promise<CliResult> => runCli(args, rig.environment());

describe('pointsman drill', () => {
  it('asks the planner, readiness and the doctor, and changes nothing', async () => {
    const before = rig.controllers.database.commits;
    const { code, out, err } = await cli(['drill', 'orders']);
    expect(out.split('\n')[0]).toBe('drill of orders: a → b, from epoch 7');
    expect(out).toContain('If it failed over now: RTO about');
    expect(out).toMatch(/A planned switch to b would begin, \d+ steps: confirm/);
    expect(out).toContain('doctor:');
    expect(err).toContain('NOTHING WAS CHANGED');
    expect([0, 3]).toContain(code);
    expect(rig.controllers.database.commits).toBe(before);
  });

  it('names what would refuse a switch, and exits 3', async () => {
    api.sagas.refusals = [{ name: 'TARGET_NOT_FIT', detail: 'no quorum leader', liftedBy: 'b recovers' }];
    const { code, out } = await cli(['drill', 'orders', '-o', 'json']);
    expect(code).toBe(3);
    expect(JSON.parse(out)).toMatchObject({
      good: false,
      switchover: { possible: false, blockedBy: [{ name: 'TARGET_NOT_FIT' }] },
    });
  });
});

describe('pointsman switchover', () => {
  const SWITCH = ['switchover', 'orders', '--to', 'b', '--reason', 'broker upgrade'];

  it('a dry run shows the steps, says loudly that nothing was changed, and names the command', async () => {
    const { code, out, err } = await cli([...SWITCH, '--dry-run']);
    expect(code).toBe(0);
    expect(out).toContain('orders: switchover a → b from epoch 7');
    expect(out).toMatch(/! publish +publish b as the active cluster: the point of no return/);
    expect(err).toContain('NOTHING WAS CHANGED');
    expect(err).toContain(
      `pointsman switchover orders --to b --reason 'broker upgrade' --by kim --epoch 7 --confirm=b`,
    );
    expect(api.sagas.asked).toEqual([]);
  });

  it('without a terminal asks nothing: it wants --confirm, and the right name', async () => {
    expect(await cli(SWITCH)).toMatchObject({ code: 2, err: expect.stringContaining('--confirm=b') as string });
    expect((await cli([...SWITCH, '--confirm=a'])).code).toBe(5);
    expect(api.sagas.asked).toEqual([]);
  });

  it('follows the saga to its end; still in progress is 4', async () => {
    const going = await cli([...SWITCH, '--confirm=b', '--wait', '1s']);
    expect(going).toMatchObject({ code: 4, err: expect.stringContaining('pointsman abort saga-1') as string });
    const aborted = await cli(['abort', 'saga-1', '--reason', 'not tonight']);
    expect(aborted).toMatchObject({ code: 0, out: expect.stringContaining('aborted') as string });
    api.sagas.abortAnswer = 'too-late: publish';
    expect(await cli(['abort', 'saga-1', '--reason', 'again'])).toMatchObject({ code: 6 });
  });

  it('a refusal prints every reason with what lifts it, and exits 6', async () => {
    api.sagas.refusals = [{ name: 'LINK_CUT', detail: 'b cannot reach a', liftedBy: 'the link is mended' }];
    const { code, err } = await cli([...SWITCH, '--confirm=b']);
    expect(code).toBe(6);
    expect(err).toContain('blocked by LINK_CUT: b cannot reach a; lifted by: the link is mended');
  });
});

describe('pointsman failover', () => {
  const FORCE = ['failover', 'orders', '--to', 'b', '--max-records', '100', '--reason', 'INC-1'];
  const die = () =>
    api.decisions.see({
      votes: {
        a: sampleVotes({ a: 'refused', b: 'refused', c: 'refused' }, 90_000),
        b: sampleVotes({ a: 'up', b: 'up', c: 'up' }),
      },
      flows: [sampleFlow({ observedAgeMs: 95_000 })],
    });

  it('a dry run shows steps and loss, changes nothing, and names the command', async () => {
    die();
    const { code, out, err } = await cli([...FORCE, '--override', 'COOLDOWN', '--dry-run']);
    expect({ code, out: out.split('\n').slice(0, 2) }).toEqual({
      code: 0,
      out: ['orders: failover a → b from epoch 7', 'loss: at least 12 records'],
    });
    expect(err).toContain(
      'pointsman failover orders --to b --reason INC-1 --by kim --max-records 100 --override COOLDOWN --epoch 7 --confirm=b',
    );
    expect(api.sagas.asked).toEqual([]);
  });

  it('asks for the name of the target: usage without a terminal, declined with another name, then begun', async () => {
    die();
    expect(await cli(FORCE)).toMatchObject({ code: 2, err: expect.stringContaining('--confirm=b') as string });
    expect((await cli([...FORCE, '--confirm=a'])).code).toBe(5);
    expect(api.sagas.asked).toEqual([]);
    const going = await cli([...FORCE, '--confirm=b', '--wait', '1s']);
    expect(going).toMatchObject({ code: 4, err: expect.stringContaining('pointsman abort saga-1') as string });
  });

  it('a source that serves is refused with 6 and the call to make; a limit that is missing is usage', async () => {
    const { code, err } = await cli([...FORCE, '--confirm=b']);
    expect(code).toBe(6);
    expect(err).toContain('blocked by SOURCE_ANSWERS: row 800 Steady');
    expect(err).toContain('lifted by: pointsman switchover orders --to b');
    expect((await cli(['failover', 'orders', '--to', 'b', '--reason', 'x', '--confirm=b'])).code).toBe(2);
    expect((await cli([...FORCE, '--override', 'NOT_PUBLISHABLE', '--confirm=b'])).code).toBe(2);
  });
});

describe('pointsman pause --all', () => {
  const ALL = ['pause', '--all', '--expires-in', '2h', '--reason', 'network work'];

  it('pauses every group, shows it in status, and ends with resume --all', async () => {
    const dry = await cli([...ALL, '--dry-run']);
    expect(dry).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^orders: would be: everything is paused by kim/) as string,
    });
    expect(dry.err).toContain("pointsman pause --all --reason 'network work' --by kim --owner kim --expires-in 2h");
    expect((await cli(ALL)).out).toMatch(/^orders: everything is paused by kim until/);
    const { out } = await cli(['status']);
    expect(out.replaceAll(/\s+/g, ' ')).toMatch(
      /everything is paused by kim until \S+ network work; ended by: pointsman resume --all/,
    );
    expect((await cli(['resume', '--all', '--reason', 'done'])).code).toBe(0);
    expect((await cli(['resume', '--all', '--reason', 'done'])).code).toBe(6);
  });

  it('a group or --all, one of them', async () => {
    expect((await cli(['pause', '--expires-in', '2h', '--reason', 'x'])).code).toBe(2);
    expect((await cli(['pause', 'orders', '--all', '--expires-in', '2h', '--reason', 'x'])).code).toBe(2);
  });
});

describe('pointsman switchover --at', () => {
  it('is scheduled, shown in status, and taken back by abort', async () => {
    const at = new Date(Date.now() + 86_400_000).toISOString();
    const order = ['switchover', 'orders', '--to', 'b', '--reason', 'broker upgrade', '--at', at, '--confirm=b'];
    const { code, out, err } = await cli(order);
    expect({ code, out }).toEqual({ code: 0, out: `orders: switchover a → b scheduled for ${at}\n` });
    const id = /pointsman abort (\S+)/.exec(err)?.[1] ?? '';
    expect((await cli(['status'])).out.replaceAll(/\s+/g, ' ')).toContain(
      `scheduled: switchover to b at ${at} by operator:kim`,
    );
    expect((await cli(order)).code).toBe(6);
    const taken = await cli(['abort', id, '--reason', 'not tonight']);
    expect(taken).toMatchObject({ code: 0, out: 'orders: aborted; it had not begun\n' });
  });
});

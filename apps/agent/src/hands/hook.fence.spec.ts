import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClusterGoal } from '#failover';
import { monotonicMs } from '#kafka';
import type { FenceHook } from '../config/agent-config.js';
import { HookError, runHook } from './hook-command.js';
import { HookFence, hookOffer } from './hook.fence.js';
import { HookJournal } from './hook-journal.js';

let folder = '';
let flag = '';
const signal = (): AbortSignal => AbortSignal.timeout(10_000);
const goal = (group = 'shop'): ClusterGoal => ({
  subject: 'cluster',
  group,
  cluster: 'a',
  state: 'fenced',
  epoch: 7,
  term: 2,
  topics: ['orders', 'pay-*'],
});
const node = (code: string): readonly string[] => [process.execPath, '-e', code];

/** A "firewall" that is a file, and writes down what it was told. */
function hookOf(over: Partial<FenceHook> = {}): FenceHook {
  const path = JSON.stringify(flag);
  return {
    fence: node(`fs.writeFileSync(${path}, JSON.stringify(process.env))`),
    open: node(`fs.rmSync(${path})`),
    check: node(`process.exit(fs.existsSync(${path}) ? 0 : 1)`),
    timeoutMs: 10_000,
    perGroup: false,
    ...over,
  };
}
const fenceOf = (hook: FenceHook | null) => new HookFence(hook, new HookJournal(folder), () => []);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hook-'));
  flag = join(folder, 'closed');
});
afterEach(() => rm(folder, { recursive: true }));

describe('the hook', () => {
  it('closes and opens, told by its environment what and at which epoch', async () => {
    const fence = fenceOf(hookOf());
    expect((await fence.read(goal())).state).toBe('open');
    expect((await fence.place(goal(), signal())).state).toBe('fenced');
    const told = JSON.parse(await readFile(flag, 'utf8')) as Record<string, string>;
    expect(told).toMatchObject({
      POINTSMAN_GROUP: 'shop',
      POINTSMAN_CLUSTER: 'a',
      POINTSMAN_EPOCH: '7',
      POINTSMAN_TOPICS: 'orders,pay-*',
    });
    expect((await fence.lift(goal(), signal())).state).toBe('open');
  });

  it('does not open what it did not close, after a restart either', async () => {
    await writeFile(flag, '');
    expect((await fenceOf(hookOf()).lift(goal(), signal())).state).toBe('open');
    expect((await fenceOf(hookOf()).read(goal())).state).toBe('fenced');
    await rm(flag);
    await fenceOf(hookOf()).place(goal(), signal());
    expect((await fenceOf(hookOf()).lift(goal(), signal())).state).toBe('open');
    expect((await fenceOf(hookOf()).read(goal())).state).toBe('open');
  });

  it('closes again what somebody opened, and says so', async () => {
    const fence = fenceOf(hookOf());
    await fence.place(goal(), signal());
    await rm(flag);
    expect(await fence.place(goal(), signal())).toMatchObject({
      state: 'fenced',
      detail: expect.stringContaining('had been removed'),
    });
  });

  it('stays closed for as long as another group wants it, if it closes the whole cluster', async () => {
    const fence = fenceOf(hookOf());
    await fence.place(goal(), signal());
    await fence.place(goal('bills'), signal());
    expect(await fence.lift(goal(), signal())).toMatchObject({
      state: 'foreign',
      detail: expect.stringContaining('bills'),
    });
    expect((await fence.read(goal())).state).toBe('fenced');
    expect((await fence.lift(goal('bills'), signal())).state).toBe('open');
  });

  it('is what its check says: an unknown exit code is neither', async () => {
    const fence = fenceOf(hookOf({ check: node('console.error("no firewall here"); process.exit(3)') }));
    expect(await fence.read(goal())).toMatchObject({ state: 'unknown', detail: 'check ended with 3 no firewall here' });
  });

  it('is ended with its children at its time-out', async () => {
    const startedAtMs = monotonicMs();
    const forever =
      'require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {stdio: "inherit"}); setInterval(() => {}, 1000)';
    expect(await runHook(node(forever), {}, 500)).toMatchObject({ exitCode: null });
    expect(monotonicMs() - startedAtMs).toBeLessThan(8_000); // its child holds the pipe: closed only when that died too
  });

  it('that hands its output to a process of its own session is not waited for longer than a moment', async () => {
    const pidFile = join(folder, 'pid');
    const daemon = `const c = require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {detached: true, stdio: "inherit"}); fs.writeFileSync(${JSON.stringify(pidFile)}, String(c.pid)); c.unref(); console.log("closed");`;
    const killDaemon = async (): Promise<void> => {
      process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGKILL');
    };
    const startedAtMs = monotonicMs();
    expect(await runHook(node(daemon), {}, 30_000)).toEqual({ exitCode: 0, said: 'closed' });
    await killDaemon();
    expect(await runHook(node(`${daemon} setInterval(() => {}, 1000)`), {}, 1_000)).toMatchObject({ exitCode: null });
    await killDaemon();
    expect(monotonicMs() - startedAtMs).toBeLessThan(20_000); // the daemons would hold the output for ever
  });

  it("that became another user's cannot be killed: that is said, and the agent lives", async () => {
    const kill = vi.spyOn(process, 'kill');
    let group = 0;
    kill.mockImplementation((pid) => {
      group = pid;
      throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
    });
    const outcome = await runHook(node('setInterval(() => {}, 1000)'), {}, 300);
    kill.mockRestore();
    process.kill(group, 'SIGKILL');
    expect(group).toBeLessThan(0);
    expect(outcome).toMatchObject({ exitCode: null, said: expect.stringContaining('EPERM') });
  });

  it('that cannot be started is an error that names it', async () => {
    await expect(runHook(['/no/such/hook'], {}, 1_000)).rejects.toThrow(HookError);
  });
});

describe('hookOffer', () => {
  const groups = (active: string | null) => [{ name: 'bills', active, clusters: ['a', 'b'] }];
  it('refuses to close a whole cluster where another group is, or may be, active', () => {
    expect(hookOffer(hookOf(), goal(), groups('b')).usable).toBe(true);
    expect(hookOffer(hookOf(), goal(), groups('a')).usable).toBe(false);
    expect(hookOffer(hookOf(), goal(), groups(null)).usable).toBe(false);
    expect(hookOffer(hookOf({ perGroup: true }), goal(), groups('a')).usable).toBe(true);
    expect(hookOffer(null, goal(), []).usable).toBe(false);
  });
});

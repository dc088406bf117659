import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLogger } from './logger.js';
import { serviceManager, watchdogMs } from './notify.js';

// A program in the place of systemd-notify: what it was called with is what systemd would have been told.
let dir: string;
const logger = createLogger('test', 'silent');

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pointsman-notify-'));
  program('printf "%s|%s\\n" "$*" "$NOTIFY_SOCKET" >> "$NOTIFY_RECORD"');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const program = (body: string): void =>
  writeFileSync(join(dir, 'systemd-notify'), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
const told = (): string[] =>
  existsSync(join(dir, 'told')) ? readFileSync(join(dir, 'told'), 'utf8').trim().split('\n') : [];
const fed = (): number => told().filter((line) => line === 'WATCHDOG=1|/run/fake').length;
const env = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  PATH: dir,
  NOTIFY_RECORD: join(dir, 'told'),
  NOTIFY_SOCKET: '/run/fake',
  ...more,
});
const PATIENCE = { WATCHDOG_USEC: '90000', WATCHDOG_PID: String(process.pid) };

describe('the service manager', () => {
  it('is told of the start and of the planned stop, once each', async () => {
    const manager = serviceManager(env(), logger);
    await manager.ready();
    await manager.stopping();
    expect(told()).toEqual(['READY=1|/run/fake', 'STOPPING=1|/run/fake']);
  });

  it('is nobody without NOTIFY_SOCKET: no program is run', async () => {
    for (const socket of [{}, { NOTIFY_SOCKET: '' }]) {
      const manager = serviceManager({ PATH: dir, NOTIFY_RECORD: join(dir, 'told'), ...PATIENCE, ...socket }, logger);
      await manager.ready();
      await manager.stopping();
    }
    expect(told()).toEqual([]);
  });

  it('is fed while the event loop turns, and no more once the stop has begun', async () => {
    const manager = serviceManager(env(PATIENCE), logger);
    await manager.ready();
    await vi.waitFor(() => expect(fed()).toBeGreaterThanOrEqual(3), { timeout: 20_000 });
    await manager.stopping();
    expect(told().at(-1)).toMatch(/^(STOPPING|WATCHDOG)=1/);
    expect(told().filter((line) => line.startsWith('STOPPING'))).toHaveLength(1);
  });

  it('is not fed while the event loop hangs, so that it kills the process', async () => {
    const manager = serviceManager(env(PATIENCE), logger);
    await manager.ready();
    await vi.waitFor(() => expect(fed()).toBeGreaterThanOrEqual(1), { timeout: 20_000 });
    const before = fed();
    const until = performance.now() + 10 * 30; // ten feeds' time, and twice what the manager waits
    while (performance.now() < until);
    expect(fed()).toBeLessThanOrEqual(before + 1); // one may have been under way
    await vi.waitFor(() => expect(fed()).toBeGreaterThan(before + 1), { timeout: 20_000 });
    await manager.stopping();
  });

  it('that cannot be told stops nothing: logged, not thrown', async () => {
    const warn = vi.spyOn(logger, 'warn');
    program('exit 1');
    await serviceManager(env(), logger).ready();
    rmSync(join(dir, 'systemd-notify'));
    await serviceManager(env(), logger).ready();
    expect(warn.mock.calls.map(([fields]) => fields)).toEqual([
      expect.objectContaining({ notify: 'READY=1' }),
      expect.objectContaining({ notify: 'READY=1' }),
    ]);
    warn.mockRestore();
  });
});

describe('watchdogMs', () => {
  it.each([
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 30_000],
    [{ WATCHDOG_USEC: '30000000' }, 30_000],
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, null], // of the parent: a child must not feed for it
    [{ WATCHDOG_USEC: 'soon' }, null],
    [{ WATCHDOG_USEC: '0' }, null],
    [{}, null],
  ])('%j is %s', (env, ms) => expect(watchdogMs(env, 7)).toBe(ms));
});

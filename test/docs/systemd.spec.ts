import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

// Units that an operator copies: systemd itself reads them here where it is installed, and the settings that the code
// relies on are looked at everywhere.
const ROOT = new URL('../../', import.meta.url).pathname;
const FOLDER = join(ROOT, 'examples/systemd');
const UNITS = ['pointsman-agent.service', 'pointsman-controller.service'];
const GRACE_S = { agent: 10, controller: 15 } as const; // GRACE_MS of each main.ts
const MOST_EXPOSED = 25; // of 100 by `systemd-analyze security`

type Unit = ReadonlyMap<string, readonly string[]>;

const unit = (file: string): Unit => {
  const found = new Map<string, string[]>();
  let section = '';
  for (const line of readFileSync(join(FOLDER, file), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const header = /^\[(\w+)\]$/.exec(line)?.[1];
    const setting = /^(\w+)=(.*)$/.exec(line);
    if (header !== undefined) section = header;
    else if (setting?.[1] === undefined) throw new Error(`${file}: neither a section nor a setting: ${line}`);
    else found.set(`${section}.${setting[1]}`, [...(found.get(`${section}.${setting[1]}`) ?? []), setting[2] ?? '']);
  }
  return found;
};

const seconds = (text: string | undefined): number => {
  const found = /^(\d+)s$/.exec(text ?? '')?.[1];
  if (found === undefined) throw new Error(`not a number of seconds: ${text}`);
  return Number(found);
};

const systemd = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' });
const hasSystemd = systemd.status === 0;
if (!hasSystemd) process.stderr.write('systemd units: looked at by structure only, there is no systemd-analyze here\n');

const dir = mkdtempSync(join(tmpdir(), 'pointsman-units-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('are all looked at here', () => {
  expect(readdirSync(FOLDER).toSorted()).toEqual([...UNITS, 'pointsman.sysusers.conf']);
});

describe.each(UNITS)('%s', (file) => {
  const settings = unit(file);
  const app = file.includes('agent') ? 'agent' : 'controller';
  const one = (key: string): string | undefined => {
    const values = settings.get(key) ?? [];
    expect({ [key]: values }).toEqual({ [key]: [expect.any(String)] });
    return values[0];
  };

  it('starts the program that the build makes, with a file that can be checked', () => {
    const [, program = '', ...rest] = (one('Service.ExecStart') ?? '').split(' ');
    const source = program.replace(/^\/opt\/pointsman\/dist\//, '').replace(/\.js$/, '.ts');
    expect(source).toBe(`apps/${app}/src/main.ts`);
    expect(existsSync(join(ROOT, source))).toBe(true);
    expect(rest).toEqual(['--config', `/etc/pointsman/${app}.yaml`]);
  });

  it('lets the program speak by its child, and waits long enough for its goodbyes', () => {
    expect(one('Service.Type')).toBe('notify');
    expect(one('Service.NotifyAccess')).toBe('all');
    expect(seconds(one('Service.WatchdogSec'))).toBeGreaterThanOrEqual(15); // a feed each third; a slow host is no hang
    expect(seconds(one('Service.TimeoutStopSec'))).toBeGreaterThan(GRACE_S[app]);
    const main = readFileSync(join(ROOT, `apps/${app}/src/main.ts`), 'utf8');
    expect(main).toContain(`GRACE_MS = ${GRACE_S[app]}_000`);
  });

  it('starts again for ever, but not with a configuration that it refused', () => {
    expect(one('Service.Restart')).toBe('always');
    expect(one('Unit.StartLimitIntervalSec')).toBe('0');
    expect(one('Service.RestartPreventExitStatus')).toBe('2');
  });

  it('gives the program secrets without giving it their folder, and no rights', () => {
    const credentials = settings.get('Service.LoadCredential') ?? [];
    expect(credentials.length).toBeGreaterThan(0);
    for (const credential of credentials) expect(credential).toMatch(/^([\w.-]+):\/etc\/pointsman\/secrets\/\1$/);
    expect(one('Service.User')).toBe('pointsman');
    expect(one('Service.NoNewPrivileges')).toBe('yes');
    expect(one('Service.CapabilityBoundingSet')).toBe('');
    expect(one('Service.ProtectSystem')).toBe('strict');
    expect(one('Service.StateDirectory')).toBe(`pointsman/${app}`);
    expect(one('Service.LimitCORE')).toBe('0');
  });

  if (!hasSystemd) return;
  it('has nothing in it that systemd does not know or mean', () => {
    const copy = join(dir, file); // Node may lie elsewhere here
    writeFileSync(copy, readFileSync(join(FOLDER, file), 'utf8').replaceAll('/usr/bin/node', process.execPath));
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', copy], { encoding: 'utf8' });
    expect({ status: verified.status, said: verified.stderr + verified.stdout }).toEqual({ status: 0, said: '' });
    const args = ['security', '--offline=true', `--threshold=${MOST_EXPOSED}`, '--no-pager', copy];
    expect(execFileSync('systemd-analyze', args, { encoding: 'utf8' })).toContain('Overall exposure level');
  });
});

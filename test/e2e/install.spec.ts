import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkoutRoot, type Lab, type LabIdc, labIdcs, startLab, waitFor } from '#lab';
import { shellBlocks } from '../docs/shell-blocks.js';
import { AlertReceiver } from '../integration/alert-receiver.js';
import { mustBeBuilt } from '../integration/cli-rig.js';
import { figure } from './support/figures.js';

const PAGE = 'install.md';
const BLOCK_MS = 120_000;
const ENDS_MS = 20_000;
const SECRET = 'whsec_c2VjcmV0LW9mLXRoZS1pbnN0YWxsYXRpb24=';

/** Blocks of the page that are not typed here, and why. */
const NOT_TYPED: Readonly<Record<string, string>> = {
  build: 'the tree is built already',
  carry: 'one machine plays all three hosts, so the kit is there',
};

/**
 * docs/install.md typed from an empty home, block by block, each in a shell of its own that has read the page's `values.sh` and
 * nothing else. What the page says of its three hosts happens on this machine, on ports of their own. Takes about 50 s.
 */
let lab: Lab;
let pager: AlertReceiver;
let home: string;
let values: Readonly<Record<LabIdc, string>>;

beforeAll(async () => {
  mustBeBuilt();
  lab = await startLab();
  await Promise.all(lab.clusterNames.map((cluster) => lab.createTopic(cluster, { name: 'orders', partitions: 3 })));
  pager = await new AlertReceiver(SECRET).start();
  home = await mkdtemp(join(tmpdir(), 'pointsman-install-'));
  values = await valuesFiles();
});
afterAll(async () => {
  if (home !== undefined) await endPrograms();
  await pager?.stop();
  await lab?.close();
  if (home !== undefined) await rm(home, { recursive: true, force: true });
});

it('whoever types the page, block by block, ends at Steady in mode auto', async () => {
  const beganMs = performance.now();
  let said = '';
  for (const { use, text } of shellBlocks(PAGE)) {
    const reason = NOT_TYPED[use];
    if (use === 'values') continue; // is what each shell reads
    if (reason !== undefined) figure(`not typed: ${text.trim()} (${reason})`);
    else for (const idc of use === 'each' ? labIdcs : (['a'] as const)) said = await typed(idc, text);
  }
  figure(`the page took ${Math.round((performance.now() - beganMs) / 1000)} s`);

  expect(said).toMatch(/^orders +a → b +auto +800 Steady/m);
  const groups = JSON.parse(await typed('c', 'pointsman status -o json')) as Readonly<{ groups: readonly object[] }>;
  expect(groups.groups).toMatchObject([{ group: 'orders', mode: 'auto', row: 800, active: 'a' }]);
  const acts = await typed('c', 'pointsman audit list');
  expect(acts).toMatch(/mode orders: observed for four weeks[\s\S]*mode orders: the drill of May/);
  await expect.poll(() => pager.received.map((r) => r.alert.type), { timeout: 20_000 }).toContain('test');
  expect(pager.forged).toBe(0);
  expect(await typed('a', 'pointsman audit verify')).toContain('audit whole');
}, 300_000);

/** In a shell of its own on that host; resolves to what it printed. */
async function typed(idc: LabIdc, text: string): Promise<string> {
  const script = `set -euo pipefail\n. "${values[idc]}"\n${text}`;
  const env = { HOME: home, PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`, USER: 'root' };
  return await new Promise((resolve, reject) => {
    execFile('bash', ['-c', script], { cwd: home, env, timeout: BLOCK_MS }, (error, out, err) => {
      if (error === null) resolve(out);
      else reject(new Error(`on host ${idc}:\n${text}\n${out}${err}\n${logs()}`, { cause: error }));
    });
  });
}

/** The page's own `values.sh` for each host. Every value that it leaves to the reader is given here, and no other. */
async function valuesFiles(): Promise<Record<LabIdc, string>> {
  const page = shellBlocks(PAGE).find(({ use }) => use === 'values')?.text ?? '';
  const ports = await Promise.all(
    labIdcs.map(async () => [await lab.freePort(), await lab.freePort(), await lab.freePort()]),
  );
  const httpPorts = ports.map(([http]) => http);
  const common = {
    HOST: 'localhost',
    SRC: checkoutRoot(),
    ETC: join(home, 'etc'),
    STATE: join(home, 'state'),
    HOSTS: ports.map((of) => ['localhost', ...of].join(':')).join(),
    POINTSMAN_SERVER: httpPorts.map((port) => `https://localhost:${port}`).join(),
    KAFKA_A: lab.directBootstrapServers('a').join(),
    KAFKA_B: lab.directBootstrapServers('b').join(),
    REPLICAS: '1',
    CONNECT_A: lab.directConnectUrl('a'),
    CONNECT_B: lab.directConnectUrl('b'),
    TOPIC: 'orders',
    READERS: 'billing',
    STORE_URL: await lab.postgresUrl('c'),
    ALERTS_URL: pager.url,
    ALERTS_SECRET: SECRET,
  };
  const written = labIdcs.map(async (idc, i) => {
    const own = { ...common, IDC: idc, HTTP_PORT: String(httpPorts[i]) };
    const file = join(home, `values-${idc}.sh`);
    await writeFile(file, filledIn(page, own), { mode: 0o600 });
    return file;
  });
  const [a = '', b = '', c = ''] = await Promise.all(written);
  return { a, b, c };
}

/** Lines `export NAME=value`: those whose value is made of other ones stay as they are. */
function filledIn(page: string, own: Readonly<Record<string, string>>): string {
  const unused = new Set(Object.keys(own));
  const text = page.replaceAll(/^export (\w+)=(\S+).*$/gm, (line, name: string, value: string) => {
    const given = own[name];
    if (given === undefined && !value.includes('$')) throw new Error(`docs/${PAGE}: nobody gives ${name} a value`);
    unused.delete(name);
    return given === undefined ? line : `export ${name}='${given}'`;
  });
  if (unused.size > 0) throw new Error(`docs/${PAGE} does not ask for ${[...unused].join()}`);
  return text;
}

const stateDir = (): string => join(home, 'state');
const tail = (file: string): string => readFileSync(file, 'utf8').trimEnd().split('\n').slice(-5).join('\n');

function logs(): string {
  const files = labIdcs.flatMap((idc) => [`ctl-${idc}.log`, `agent-${idc}.log`].map((name) => join(stateDir(), name)));
  return files.flatMap((file) => (existsSync(file) ? [`-- ${file}`, tail(file)] : [])).join('\n');
}

/** Those that the page started, by the numbers that it wrote down. */
async function endPrograms(): Promise<void> {
  await mkdir(stateDir(), { recursive: true });
  const names = (await readdir(stateDir())).filter((name) => name.endsWith('.pid'));
  const pids = names.map((name) => Number(readFileSync(join(stateDir(), name), 'utf8')));
  for (const pid of pids.filter(runs)) process.kill(pid, 'SIGTERM');
  await waitFor('the programs end', () => (pids.some(runs) ? undefined : true), { timeoutMs: ENDS_MS }).catch(() => {
    for (const pid of pids.filter(runs)) process.kill(pid, 'SIGKILL');
  });
}

/** An ended one that nobody waited for has no command line any more. */
function runs(pid: number): boolean {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) && readFileSync(file, 'utf8') !== '';
}

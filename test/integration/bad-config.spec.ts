import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkoutRoot } from '#lab';

/** The built programs on files with several faults each, as a person runs them after an edit. No server is started. */
const ROOT = checkoutRoot();
const CONTROLLER = join(ROOT, 'dist/apps/controller/src/main.js');
const AGENT = join(ROOT, 'dist/apps/agent/src/main.js');
const CLI = join(ROOT, 'dist/apps/cli/src/main.js');

let folder: string;

beforeAll(async () => {
  for (const main of [CONTROLLER, AGENT, CLI])
    if (!existsSync(main)) throw new Error(`${main} is missing: run npm run build first`);
  folder = await mkdtemp(join(tmpdir(), 'pointsman-bad-config-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

type Ended = Readonly<{ code: unknown; stdout: string; stderr: string }>;

const run = (main: string, ...args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { timeout: 50_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });

type Edit = Readonly<{ from: string; to: string; at: string; says: RegExp }>;

/** An example file with all edits made, and for each edit what must be said of it: the place of `at`, and the words. */
async function edited(example: string, name: string, edits: readonly Edit[]) {
  let text = readFileSync(join(ROOT, 'examples', example), 'utf8');
  for (const { from, to } of edits) {
    expect(text, `${example} has no ${from}`).toContain(from);
    text = text.replace(from, to);
  }
  const file = join(folder, name);
  await writeFile(file, text);
  const expected = edits.map(({ at, says }) => {
    const before = text.slice(0, text.indexOf(at)).split('\n');
    return { place: `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`, says };
  });
  return { file, expected };
}

/** One line for each fault and no other, in the order of the file, each with its place. */
function expectAll(output: string, expected: readonly Readonly<{ place: string; says: RegExp }>[]): void {
  const lines = output.trimEnd().split('\n');
  expect(lines.map((line) => line.split(' ')[0])).toEqual(expected.map((e) => e.place));
  for (const [i, { says }] of expected.entries()) expect(lines[i]).toMatch(says);
}

const CONTROLLER_FAULTS: readonly Edit[] = [
  { from: 'survives: [a, b, c] # the', to: 'survive: [a, b, c] # the', at: 'survive:', says: /unknown key/ },
  { from: 'ttl: 10s', to: 'ttl: soon', at: 'ttl:', says: /lease\.ttl: / },
  { from: 'mode: observe\n', to: 'mode: automatic\n', at: 'mode: automatic', says: /groups\[0\]\.mode: / },
  { from: 'naming: identity', to: 'naming: same', at: 'naming: same', says: /flows\[0\]\.naming: / },
];
const AGENT_FAULTS: readonly Edit[] = [
  { from: 'period: 2s', to: 'period: 2 parsecs', at: 'period: 2 parsecs', says: /probe\.period: / },
  { from: 'address: 10.1.0.1:53', to: 'adress: 10.1.0.1:53', at: '{ idc: b, adress', says: /address: / },
  { from: '10.1.0.1:53', to: '10.1.0.1:53', at: 'adress', says: /unknown key/ }, // one misspelling: a key missing, a key too many
  { from: 'http://connect-a.example:8083', to: 'connect-a', at: 'connectUrl: connect-a #', says: /connectUrl: / },
];

describe('a bad configuration file', () => {
  it('stops the controller with status 2 and every fault at its file, line and column', async () => {
    const { file, expected } = await edited('controller.yaml', 'controller.yaml', CONTROLLER_FAULTS);
    const ended = await run(CONTROLLER, '--config', file);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expectAll(ended.stderr, expected);
  });

  it('stops the agent with status 2 and every fault at its file, line and column', async () => {
    const { file, expected } = await edited('agent.yaml', 'agent.yaml', AGENT_FAULTS);
    const ended = await run(AGENT, '--config', file);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expectAll(ended.stderr, expected);
  });

  it('is refused with every rule over several fields that it breaks, each value in the message', async () => {
    const { file, expected } = await edited('controller.yaml', 'rules.yaml', [
      { from: 'renewDeadline: 6s', to: 'renewDeadline: 10s', at: 'ttl:', says: /ttl 10s must be longer than .* 10s/ },
      {
        from: 'publishTo: [main]',
        to: 'publishTo: [mian]',
        at: 'mian',
        says: /"mian" is not declared; declared: main/,
      },
      {
        from: 'fencing: best-effort\n      selfFenceAfter: 20s',
        to: 'fencing: strict\n      selfFenceAfter: 16s',
        at: 'selfFenceAfter:',
        says: /selfFenceAfter 16s must be/,
      },
      { from: 'isolated: 60s', to: 'isolated: 20s', at: 'isolated:', says: /isolated 20s .* service 30s/ },
    ]);
    const ended = await run(CONTROLLER, '--config', file);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expectAll(ended.stderr, expected);
  });

  it('is shown by doctor with the same places, both files at once', async () => {
    const controller = await edited('controller.yaml', 'doctor-controller.yaml', CONTROLLER_FAULTS);
    const agent = await edited('agent.yaml', 'doctor-agent.yaml', AGENT_FAULTS);
    const ended = await run(CLI, 'doctor', '-o', 'json', '--config', controller.file, agent.file);
    expect(ended.code).toBe(1);
    const { checks } = JSON.parse(ended.stdout) as { checks: readonly { ok: boolean; found: string }[] };
    const bad = checks.filter((c) => !c.ok).map((c) => c.found.split(' ')[0]);
    expect(bad).toEqual([...controller.expected, ...agent.expected].map((e) => e.place));
  });

  it('is shown by `config check` the same, one line each on stdout and nothing else', async () => {
    const controller = await edited('controller.yaml', 'check-controller.yaml', CONTROLLER_FAULTS);
    const agent = await edited('agent.yaml', 'check-agent.yaml', AGENT_FAULTS);
    const ended = await run(CLI, 'config', 'check', controller.file, agent.file, join(ROOT, 'examples/agent.yaml'));
    expect(ended.code).toBe(1);
    expectAll(ended.stdout, [...controller.expected, ...agent.expected]);
    expect(ended.stderr).toMatch(/agent\.yaml: a valid Agent configuration/);
  });

  it('that cannot be read or is no YAML is said in one line with its place', async () => {
    const missing = join(folder, 'missing.yaml');
    expect(await run(CONTROLLER, '--config', missing)).toMatchObject({
      code: 2,
      stderr: `${missing}:1:1 no such file; name a readable file with --config\n`,
    });
    const broken = join(folder, 'broken.yaml');
    await writeFile(broken, 'kind: Agent\nagent: { id: agent-a\nclusters: []\n');
    const ended = await run(AGENT, '--config', broken);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/broken\.yaml:[23]:\d+ /);
  });
});

describe('`config show --effective`', () => {
  it('tells where each value comes from, and no secret', async () => {
    const { file } = await edited('controller.yaml', 'effective.yaml', [
      {
        from: 'urlFile: /etc/pointsman/store.url',
        to: 'url: postgres://ctl:hunter2@db/pointsman',
        at: 'url: postgres',
        says: /./,
      },
    ]);
    const ended = await run(CLI, 'config', 'show', '--effective', '-o', 'json', file);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).not.toContain('hunter2');
    const { values } = JSON.parse(ended.stdout) as { values: readonly Record<'path' | 'value' | 'origin', string>[] };
    const of = (path: string) => values.find((v) => v.path === path);
    expect(of('store.url')).toMatchObject({ value: 'postgres://ctl:***@db/pointsman' });
    expect(of('lease.ttl')).toMatchObject({ value: '10s', origin: expect.stringMatching(/effective\.yaml:\d+:\d+$/) });
    expect(of('sagaMaxOpen')).toMatchObject({ value: '300s', origin: 'default' });
    const table = await run(CLI, 'config', 'show', '--effective', file);
    for (const line of table.stdout.trimEnd().split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect(await run(CLI, 'config', 'show', join(ROOT, 'examples/agent.yaml'))).toMatchObject({ code: 0 });
  });
});

describe('`init`', () => {
  const answers = [
    ...['--hosts', 'c1.example,c2.example,c3.example', '--kafka', 'k1:9092', '--standby-kafka', 'k2:9092'],
    ...['--connect', 'http://c1:8083', '--standby-connect', 'http://c2:8083', '--topics', 'orders'],
    ...['--max-loss', '1000', '--max-lag', '30s'],
  ];

  it('writes six files that its own check accepts, and overwrites none of them', async () => {
    const out = join(folder, 'fresh');
    const made = await run(CLI, 'init', '--out', out, ...answers);
    expect(made).toMatchObject({ code: 0 });
    const files = made.stdout.trimEnd().split('\n');
    expect(files).toHaveLength(6);
    expect(await run(CLI, 'config', 'check', ...files)).toMatchObject({ code: 0, stdout: '' });
    const before = readFileSync(files[0] ?? '', 'utf8');
    const again = await run(CLI, 'init', '--out', out, ...answers.map((a) => a.replace('orders', 'others')));
    expect(again).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('not overwritten') });
    expect(readFileSync(files[0] ?? '', 'utf8')).toBe(before);
  });

  it('asks nothing without a terminal: it names every flag that is missing', async () => {
    const ended = await run(CLI, 'init', '--out', join(folder, 'nothing'), '--topics', 'orders');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(/--hosts, --kafka, --standby-kafka, --connect, --standby-connect, --max-loss/);
    expect(existsSync(join(folder, 'nothing'))).toBe(false);
  });

  it('leaves nothing behind that the programs would refuse', async () => {
    const out = join(folder, 'refused');
    const ended = await run(CLI, 'init', '--out', out, ...answers, '--max-lag', 'soon');
    expect(ended).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('maxRpo.duration') });
    expect(await readdir(out)).toEqual([]);
  });
});

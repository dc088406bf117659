import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '#failover';
import { waitFor } from '#lab';
import { AT, aGroup, anEntry, aSaga } from '../../apps/controller/src/persistence/conformance/builders.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { ApiApp, TOKEN } from './api-app.js';
import { cliEnvironment, mustBeBuilt, runCli, type CliResult } from './cli-rig.js';

let folder: string;
let api: ApiApp;

beforeAll(mustBeBuilt);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pointsman-cli-'));
  await writeFile(join(folder, 'token'), `${TOKEN}\n`);
  api = await ApiApp.start('ctl-a', new MemoryAuthorityDatabase());
  await api.lead();
  const { term, me } = api.leadership.current();
  const waiting = aGroup('orders', { epoch: 7, reservedEpoch: 7, active: 'a', rejoin: ['b'] });
  const moved = aSaga('saga-0', 'orders', { source: 'b', target: 'a', fromEpoch: 6, epoch: 7 });
  await api.store.transact(term, me, async (tx) => {
    await tx.saveGroup(waiting);
    await tx.openSaga(moved);
    await tx.appendJournal(moved.id, [anEntry('publish', 'intent'), anEntry('publish', 'done')]);
    await tx.closeSaga(moved.id, 'DONE', AT);
  });
});
afterEach(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

const cli = (...args: readonly string[]): Promise<CliResult> =>
  runCli(args, cliEnvironment(api.url, join(folder, 'token')));

const EDGE = { offset: 95, timestampMs: 1_764_240_000_000, key: 'order-1' };
const SURVEY = {
  ...{ state: 'awaiting-choice', cluster: 'b', active: 'a', switchEpoch: 7, at: '2026-11-27T10:00:00.000Z' },
  seam: {
    partitions: 1,
    compared: 64,
    tailAtMost: 5,
    choices: ['accept', 'export', 'replay', 'rebuild'],
    objections: [],
  },
  tail: {
    ...{ records: 5, bytes: 640, path: '/tails/report.ndjson', agent: 'agent-b' },
    loss: {
      counted: 5,
      estimated: 8,
      withinEstimate: true,
      says: '5 records counted, at most 8 estimated: as estimated',
    },
    partitions: [
      { topic: 'orders', partition: 0, records: 5, bytes: 640, first: EDGE, last: { ...EDGE, offset: 99, key: null } },
    ],
  },
} satisfies Json;
const SHORTER = {
  ...SURVEY,
  seam: {
    ...SURVEY.seam,
    choices: ['rebuild'],
    objections: ['orders-0: the old log ends at 30, but the copy has it up to 42'],
  },
  tail: null,
} satisfies Json;
const survey = (of: Json = SURVEY): Promise<void> => api.addSurvey(of);

describe('pointsman tail', () => {
  it('says how many, against the estimate, where the listing is, and what may be done', async () => {
    await survey();
    const { code, out } = await cli('tail', 'orders');
    expect(code).toBe(0);
    const lines = out.split('\n').map((l) => l.replaceAll(/ +/g, ' '));
    expect(lines.slice(0, 3)).toEqual([
      'orders: b awaiting-choice; choices: accept, export, replay, rebuild',
      '5 records counted, at most 8 estimated: as estimated; 640 bytes; listing on agent-b: /tails/report.ndjson',
      'TOPIC PARTITION RECORDS BYTES OFFSETS TIME KEYS',
    ]);
    expect(lines[3]).toBe('orders 0 5 640 95..99 10:40:00.000..10:40:00.000 order-1 .. -');
  });

  it('says why only a rebuild is left, and prints the body of the API with -o json', async () => {
    await survey(SHORTER);
    const { out } = await cli('tail', 'orders');
    expect(out).toContain('choices: rebuild\n  orders-0: the old log ends at 30');
    expect(JSON.parse((await cli('tail', 'orders', '-o', 'json')).out)).toMatchObject({ cluster: 'b', tail: null });
  });

  it('goes on to say so behind any number of events', async () => {
    await survey();
    await api.addEvents(...Array.from({ length: 500 }, (_, i) => ({ summary: `lag flickers ${i}` })));
    expect((await cli('tail', 'orders')).out).toContain('b awaiting-choice');
  });

  it('does not offer a choice for a switch that another one has followed', async () => {
    await survey({ ...SURVEY, switchEpoch: 3 });
    expect((await cli('tail', 'orders')).out).toContain('orders: b rejoined');
  });

  it('exits 1 while nothing is surveyed, and says when it will be', async () => {
    const { code, err } = await cli('tail', 'orders');
    expect(code).toBe(1);
    expect(err).toContain('when an old primary answers again and is closed');
  });
});

describe('pointsman rejoin', () => {
  const REJOIN = ['rejoin', 'orders', '--reason', 'b is back'];

  it('wants a choice of four, and a reason', async () => {
    expect(await cli('rejoin', 'orders', '--reason', 'x')).toMatchObject({ code: 2 });
    expect((await cli(...REJOIN, '--choice', 'forget')).err).toContain('accept, export, replay, rebuild');
    expect(await cli('rejoin', 'orders', '--choice', 'accept')).toMatchObject({ code: 2 });
    expect(api.sagas.asked).toEqual([]);
  });

  it('a dry run shows the steps and names the command, for each choice', async () => {
    const { code, out, err } = await cli(...REJOIN, '--choice', 'export', '--export-to', 'topic', '--dry-run');
    expect(code).toBe(0);
    expect(out).toMatch(/carry-out-choice/);
    expect(err).toContain('NOTHING WAS CHANGED');
    expect(err).toContain('--choice export --export-to topic --epoch 7');
    expect(api.sagas.asked).toEqual([]);
  });

  it.each([
    [['--choice', 'accept'], { choice: 'accept' }],
    [['--choice', 'export', '--export-to', 'topic'], { choice: 'export', destination: 'topic' }],
    [
      ['--choice', 'replay', '--strategy', 'source-priority', '--priority', 'b', 'a'],
      { choice: 'replay', strategy: 'source-priority', priority: ['b', 'a'] },
    ],
  ])('%j opens the saga without asking for a name: nothing is deleted', async (args, rejoin) => {
    const going = await cli(...REJOIN, ...args, '--wait', '1s');
    expect(going).toMatchObject({ code: 4, err: expect.stringContaining('pointsman abort saga-1') as string });
    expect(api.sagas.asked).toMatchObject([{ kind: 'rejoin', request: { reason: 'b is back', rejoin } }]);
  });

  it('a refusal prints every reason with what lifts it, and exits 6', async () => {
    api.sagas.refusals = [{ name: 'OLD_SIDE_SILENT', detail: 'b does not answer yet', liftedBy: 'b answers' }];
    const { code, err } = await cli(...REJOIN, '--choice', 'accept');
    expect(code).toBe(6);
    expect(err).toContain('blocked by OLD_SIDE_SILENT: b does not answer yet; lifted by: b answers');
  });

  it('follows it to its end', async () => {
    const following = cli(...REJOIN, '--choice', 'accept');
    await waitFor('the saga', () => api.sagas.asked[0], { timeoutMs: 15_000, pollMs: 20 });
    const { term, me } = api.leadership.current();
    await api.store.transact(term, me, (tx) => tx.closeSaga('saga-1', 'DONE', '2026-11-27T10:01:00.000Z'));
    expect(await following).toMatchObject({ code: 0, out: 'orders: DONE\n' });
  });
});

describe('pointsman rejoin --choice rebuild', () => {
  const REBUILD = ['rejoin', 'orders', '--reason', 'b is back', '--choice', 'rebuild'];

  it('tells first what is lost, and without a terminal wants the name of the cluster', async () => {
    await survey();
    const { code, err } = await cli(...REBUILD);
    expect(code).toBe(2);
    expect(err).toContain('5 records counted');
    expect(err).toContain('--confirm=b');
    expect((await cli(...REBUILD, '--confirm=a')).code).toBe(5);
    expect(api.sagas.asked).toEqual([]);
  });

  it('named, it opens the saga, and the controller is told the name too', async () => {
    await survey(SHORTER);
    const going = await cli(...REBUILD, '--confirm=b', '--wait', '1s');
    expect(going.code).toBe(4);
    expect(going.err).toContain('the old log ends at 30');
    expect(api.sagas.asked).toMatchObject([{ request: { rejoin: { choice: 'rebuild', confirm: 'b' } } }]);
  });

  it('a dry run shows what would be deleted and changes nothing', async () => {
    await survey();
    const { code, out, err } = await cli(...REBUILD, '--dry-run');
    expect(code).toBe(0);
    expect(out).toMatch(/remake-topics +DELETE the topics on b by their ids/);
    expect(err).toContain('--choice rebuild --epoch 7 --confirm=b');
    expect(api.sagas.asked).toEqual([]);
  });

  it('is not begun before the tail was told', async () => {
    expect(await cli(...REBUILD, '--confirm=b')).toMatchObject({ code: 1 });
    expect(api.sagas.asked).toEqual([]);
  });
});

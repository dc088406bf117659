import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import type { LabIdc } from '#lab';
import { waitFor } from '#lab';
import { LogReader } from '../../tools/demo/log-reader.js';
import { prove } from '../../tools/demo/proof.js';
import { GROUP } from '../../tools/installation/index.js';
import type { LoadEvent } from '../../tools/load/options.js';
import { figure } from './support/figures.js';
import { Load } from './support/load.js';
import { Stage, TOPIC } from './support/stage.js';
import { flowStates } from './support/world.js';

/** There and back is one round; a long run says POINTSMAN_SWITCH_ROUNDS=10. */
const ROUNDS = Number(process.env['POINTSMAN_SWITCH_ROUNDS'] ?? 2);
const PARTITIONS = 6;
const ORDERS_PER_SECOND = 200;

type Operation = Readonly<{
  done: boolean;
  outcome: string | null;
  reason: string | null;
  openedAt: string;
  steps: readonly Readonly<{ step: string; direction: string; event: string; at: string; summary: string | null }>[];
}>;

/** I36 and the flow control of the flip, counted by readers that know neither pointer nor wrapper. */
describe('planned switches under load', () => {
  let stage: Stage;
  let load: Load;
  const readers = new Map<'a' | 'b', LogReader>();
  const open: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    stage = await Stage.set({ partitions: PARTITIONS });
    open.push(() => stage.close());
    for (const cluster of ['a', 'b'] as const) {
      const reader = await LogReader.start(stage.lab.directBootstrapServers(cluster), TOPIC);
      open.push(() => reader.close());
      readers.set(cluster, reader);
    }
    load = await Load.start(stage.lab, { ordersPerSecond: ORDERS_PER_SECOND });
  });
  afterAll(async () => {
    for (const close of open.toReversed()) await close();
  });

  it(
    `${ROUNDS} times there and back: nothing lost, nothing skipped, no history copied`,
    { timeout: 90_000 * ROUNDS + 90_000 },
    async () => {
      onTestFailed(async () => {
        process.stderr.write(`${await stage.report()}\n`);
      });
      await load.waitForStats('a hundred orders', (s) => s.acknowledged > 100 && s.lastConsumedCluster === 'a');
      const pid = load.process.pid;
      const took: string[] = [];
      for (let round = 1; round <= ROUNDS; round++) {
        took.push(await move(stage, load, 'a', 'b'), await move(stage, load, 'b', 'a'));
      }
      expect(load.process.pid).toBe(pid);
      // The process ends its consumers with its producers: what was promised by now must have been read before that.
      const promised = acknowledged(load.events());
      await waitFor(
        'every promised order is read',
        () => (missing(promised, load.events()).length === 0 ? true : undefined),
        { timeoutMs: 30_000, pollMs: 1_000 },
      ).catch(() => undefined); // told by the count below
      await load.stop();
      await equalEnds(stage);
      await Promise.all([...readers.values()].map((r) => r.readToEnd(30_000)));

      const events = load.events();
      const [onA, onB] = [recordsOf(readers, 'a'), recordsOf(readers, 'b')];
      const proof = prove(events, onA, new Set(), 'a', 0);
      const other = prove(events, onB, new Set(), 'b', 0);
      const skipped = missing(promised, events);
      const resent = events.filter((e) => e.kind === 'acknowledged' && e.resent).length;
      figure(
        `${ROUNDS} rounds: ${proof.acknowledged} acknowledged, on a ${onA.length}, on b ${onB.length} records; lost ${proof.lost.length}, ` +
          `skipped ${skipped.length}, in the log twice ${proof.duplicated} (${resent} sent again), read twice ${readTwice(events)}; ${took.join('; ')}`,
      );
      expect(proof.lost).toEqual([]);
      expect(other.lost).toEqual([]);
      expect(skipped).toEqual([]);
      expect(proof.duplicated).toBeLessThanOrEqual(resent);
      expect(onA.length).toBe(onB.length); // neither a loop nor history that travelled back
    },
  );
});

/** One planned switch by the API; resolves when the load works at the new side. How long it took, in words. */
async function move(stage: Stage, load: Load, from: LabIdc & ('a' | 'b'), to: 'a' | 'b'): Promise<string> {
  const { installation, lab } = stage;
  const body = { target: to, reason: `round trip ${from} to ${to}`, by: 'e2e', acceptUnfencedSource: true };
  const begun = await waitFor(
    `the switch ${from} → ${to} is taken`,
    async () => {
      const leader = (await installation.leader()) ?? 'a';
      const { epoch } = await installation.group(leader);
      const answer = await installation.api(leader).post(`/v1/groups/${GROUP}/switchover`, body, epoch);
      if (answer.status === 202) return answer.body as { readonly saga: string };
      throw new Error(JSON.stringify(answer.body));
    },
    { timeoutMs: 40_000, pollMs: 1_000 },
  );
  const operation = await waitFor(
    `saga ${begun.saga} ends`,
    async () => {
      const now = await installation.api('c').get<Operation>(`/v1/operations/${begun.saga}`);
      return now.done ? now : undefined;
    },
    { timeoutMs: 120_000, pollMs: 250 },
  );
  const steps = operation.steps
    .filter((s) => s.event !== 'intent')
    .map((s) => `${s.direction} ${s.step} ${s.event}: ${s.summary ?? ''}`);
  expect({ outcome: operation.outcome, steps }).toMatchObject({ outcome: 'DONE' });
  await load.waitForStats(`goes on at ${to}`, (s) => s.lastAckCluster === to && s.lastConsumedCluster === to);
  expect(await flowStates(lab, from, to)).toEqual(['STOPPED', 'STOPPED']);
  expect(await flowStates(lab, to, from)).toEqual(['RUNNING', 'RUNNING']);
  const at = (step: string): number =>
    Date.parse(operation.steps.find((s) => s.step === step && s.event === 'done')?.at ?? '');
  const drained = Date.parse(operation.steps.find((s) => s.step === 'drain' && s.event === 'intent')?.at ?? '');
  const last = operation.steps.at(-1)?.at ?? operation.openedAt;
  const slow = operation.steps
    .filter((s) => s.event === 'done')
    .map((s, i, all) => [s.step, Date.parse(s.at) - Date.parse(all[i - 1]?.at ?? operation.openedAt)] as const)
    .filter(([, ms]) => ms >= 500)
    .map(([step, ms]) => `${step} ${ms}`);
  const all = Date.parse(last) - Date.parse(operation.openedAt);
  return `${from}→${to} published ${at('publish') - drained} ms after drain began, ${all} ms in all (${slow.join(', ')})`;
}

/** MirrorMaker has brought the last records along: both logs are equally long, record for record. */
async function equalEnds({ lab }: Stage): Promise<void> {
  const ends = async (cluster: 'a' | 'b'): Promise<string> => {
    const admin = lab.kafka(cluster).admin();
    await admin.connect();
    try {
      const offsets = await admin.fetchTopicOffsets(TOPIC);
      return JSON.stringify(offsets.map((o) => [o.partition, o.high]).toSorted((x, y) => Number(x[0]) - Number(y[0])));
    } finally {
      await admin.disconnect();
    }
  };
  await waitFor('both logs end alike', async () => ((await ends('a')) === (await ends('b')) ? true : undefined), {
    timeoutMs: 30_000,
    pollMs: 500,
  });
}

function recordsOf(readers: ReadonlyMap<'a' | 'b', LogReader>, cluster: 'a' | 'b'): LogReader['records'] {
  const reader = readers.get(cluster);
  if (reader === undefined) throw new Error(`nobody reads ${cluster}`);
  return reader.records;
}

const acknowledged = (events: readonly LoadEvent[]): readonly string[] =>
  events.flatMap((e) => (e.kind === 'acknowledged' ? [e.id] : []));

/** Orders that the application's consumer group never saw. */
function missing(promised: readonly string[], events: readonly LoadEvent[]): readonly string[] {
  const seen = new Set(events.flatMap((e) => (e.kind === 'consumed' ? [e.id] : [])));
  return promised.filter((id) => !seen.has(id));
}

function readTwice(events: readonly LoadEvent[]): number {
  const ids = events.flatMap((e) => (e.kind === 'consumed' ? [e.id] : []));
  return ids.length - new Set(ids).size;
}

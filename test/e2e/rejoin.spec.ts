import { expect, it } from 'vitest';
import { tailTopic } from '#failover';
import { type LabClusterName, waitFor } from '#lab';
import { type LogEnds, logEnds, logEndsAtRest } from '../../tools/demo/log-ends.js';
import { LogReader } from '../../tools/demo/log-reader.js';
import { tailOf } from '../../tools/demo/way-back-proof.js';
import { Load } from './support/load.js';
import { figure } from './support/figures.js';
import { PlainWriter } from './support/plain-writer.js';
import { GROUP } from '../../tools/installation/index.js';
import { Stage, TOPIC } from './support/stage.js';
import { connectorState, flowStates, isFenced } from './support/world.js';

type Tail = Readonly<{
  state: string;
  seam: Readonly<{ choices: readonly string[] }>;
  tail: Readonly<{ records: number }>;
}>;
type Operation = Readonly<{ done: boolean; outcome: string | null; reason: string | null }>;

it('an IDC dies under load, returns with a tail that is counted and exported, and traffic goes home', async () => {
  const stage = await Stage.set({});
  const open: (() => Promise<void>)[] = [() => stage.close()];
  try {
    const load = await Load.start(stage.lab);
    open.push(() => load.stop());
    await play(stage, load);
  } catch (error) {
    process.stderr.write(`${await stage.report()}\n`);
    throw error;
  } finally {
    for (const close of open.toReversed()) await close().catch(() => undefined);
  }
}, 420_000);

async function play(stage: Stage, load: Load): Promise<void> {
  const { lab, installation } = stage;
  await load.waitForStats('a hundred orders', (s) => s.acknowledged > 100 && s.lastConsumedCluster === 'a');
  await lab.kill({ idc: 'a' });
  const copiedUpTo = await copyAtRest(stage);
  const pointer = await installation.waitForPointer('b', 1, 90_000);
  await load.waitForStats('goes on at b', (s) => s.lastAckCluster === 'b' && s.lastConsumedCluster === 'b');

  const writer = PlainWriter.start(lab.directBootstrapServers('a'), TOPIC);
  await lab.start({ idc: 'a' });
  await expect.poll(() => writer.count('refused'), { timeout: 60_000, interval: 50 }).toBeGreaterThan(0);
  await writer.close();
  expect(await isFenced(lab, 'a', TOPIC)).toBe(true);

  const tail = await waitFor(
    'the survey of the returned cluster',
    () =>
      installation
        .api('b')
        .get<Tail>(`/v1/groups/${GROUP}/tail`)
        .catch(() => undefined),
    { timeoutMs: 90_000 },
  );
  expect(tail).toMatchObject({
    state: 'awaiting-choice',
    seam: { choices: ['accept', 'export', 'replay', 'rebuild'] },
  });
  const onA = await everything(stage, 'a');
  const onB = await everything(stage, 'b');
  const counted = tailOf(onA, onB, copiedUpTo).length;
  expect(tail.tail.records).toBe(counted);

  const order = { choice: 'export', destination: 'topic', reason: 'a is back', acceptUnfencedSource: true };
  await operate(stage, 'rejoin', order, pointer.epoch);
  expect(await recordsIn(stage, 'b', tailTopic(GROUP))).toBe(counted);
  expect(await flowStates(lab, 'a', 'b')).toEqual(['STOPPED', 'STOPPED']);
  expect((await connectorState(lab, 'a', 'b-a-src')).state).toBe('RUNNING');

  await load.waitForStats('goes on at b after the rejoin', (s) => s.lastAckCluster === 'b');
  await installation.waitForSteady(60_000);
  await operate(stage, 'failback', { reason: 'home', acceptUnfencedSource: true }, pointer.epoch);
  await load.waitForStats('at home', (s) => s.lastAckCluster === 'a' && s.lastConsumedCluster === 'a');
  await load.stop();
  const home = await everything(stage, 'a');
  const seen = new Set<string>();
  const twice = home.filter((r) => r.id !== '' && seen.size === seen.add(r.id).size);
  const lost = onB.filter((r) => r.id !== '' && !seen.has(r.id));
  figure(
    `tail ${counted} records counted and exported; on a at the end ${home.length}, ${twice.length} twice, ${lost.length} of b missing`,
  );
  expect(lost).toEqual([]);
}

/** Where b's log ends once the copy has stopped, the pointer still at a: before anybody else writes there. */
async function copyAtRest(stage: Stage): Promise<LogEnds> {
  const ends = await logEndsAtRest(stage.lab.kafka('b'), TOPIC, 10_000);
  expect((await stage.installation.pointer())?.activeCluster).toBe('a');
  return ends;
}

/** Asks the leader, which may change meanwhile; the saga must end DONE. */
async function operate(stage: Stage, act: string, body: object, epoch: number): Promise<void> {
  const { installation } = stage;
  let said = '';
  const saga = await waitFor(
    `${act} to be accepted`,
    async () => {
      const leader = await installation.leader();
      if (leader === null) return undefined;
      const answer = await installation.api(leader).post(`/v1/groups/${GROUP}/${act}`, body, epoch);
      said = JSON.stringify(answer);
      return answer.status === 202 ? String((answer.body as { saga: string }).saga) : undefined;
    },
    { timeoutMs: 60_000, pollMs: 1_000 },
  ).catch((error: unknown) => {
    throw new Error(`${act}: ${said}`, { cause: error });
  });
  const end = await waitFor(
    `${act} to end`,
    async () => {
      const operation = await installation.api('b').get<Operation>(`/v1/operations/${saga}`);
      return operation.done ? operation : undefined;
    },
    { timeoutMs: 120_000, pollMs: 500 },
  );
  expect(end).toMatchObject({ outcome: 'DONE' });
}

async function everything({ lab }: Stage, cluster: LabClusterName) {
  const reader = await LogReader.start(lab.kafka(cluster), TOPIC);
  try {
    await reader.readToEnd(40_000);
    return [...reader.records];
  } finally {
    await reader.close();
  }
}

async function recordsIn({ lab }: Stage, cluster: LabClusterName, topic: string): Promise<number> {
  return [...(await logEnds(lab.kafka(cluster), topic)).values()].reduce((n, end) => n + Number(end), 0);
}

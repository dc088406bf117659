import { expect, it } from 'vitest';
import { tailTopic } from '#failover';
import { type LabClusterName, waitFor } from '#lab';
import { type LogEnds, logEnds, logEndsAtRest } from '../../tools/demo/log-ends.js';
import { LogReader } from '../../tools/demo/log-reader.js';
import { tailOf } from '../../tools/demo/way-back-proof.js';
import { Load } from './support/load.js';
import { figure } from './support/figures.js';
import { expectChoice, expectTold, logsOf, SIDE_GROUPS, takeBack } from './support/four-choices.js';
import { operate } from './support/operate.js';
import { PlainWriter } from './support/plain-writer.js';
import { SideWriter } from './support/side-writer.js';
import { GROUP } from '../../tools/installation/index.js';
import { Stage, TOPIC } from './support/stage.js';
import { connectorState, flowStates, isFenced } from './support/world.js';

type Tail = Readonly<{
  state: string;
  seam: Readonly<{ choices: readonly string[] }>;
  tail: Readonly<{ records: number }>;
}>;

/** Four groups fail over together; each takes another of the four choices, and the exporting one goes home afterwards. */
it('an IDC dies under load, returns with tails that are counted; each choice keeps its promise, and traffic goes home', async () => {
  const stage = await Stage.set({ furtherGroups: SIDE_GROUPS });
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
}, 480_000);

async function play(stage: Stage, load: Load): Promise<void> {
  const { lab, installation } = stage;
  const onSideA = SideWriter.start(lab, 'a', SIDE_GROUPS);
  await load.waitForStats('a hundred orders', (s) => s.acknowledged > 100 && s.lastConsumedCluster === 'a');
  await tailsGrow(stage, onSideA);
  await lab.kill({ idc: 'a' });
  await onSideA.stop();
  await lab.heal('a', 'b');
  const copiedUpTo = await copyAtRest(stage);
  const pointer = await installation.waitForPointer('b', 1, 90_000);
  await Promise.all(SIDE_GROUPS.map((group) => installation.waitForPointer('b', 1, 90_000, group)));
  await load.waitForStats('goes on at b', (s) => s.lastAckCluster === 'b' && s.lastConsumedCluster === 'b');
  const onSideB = SideWriter.start(lab, 'b', SIDE_GROUPS);

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

  const before: { group: (typeof SIDE_GROUPS)[number]; logs: Awaited<ReturnType<typeof logsOf>> }[] = [];
  for (const group of SIDE_GROUPS) before.push({ group, logs: await logsOf(stage, group) }); // one reader at a time: they share a group
  for (const { group, logs } of before) await expectTold(stage, group, logs);
  const order = { choice: 'export', destination: 'topic', reason: 'a is back', acceptUnfencedSource: true };
  await Promise.all([operate(stage, 'rejoin', order, pointer.epoch), ...SIDE_GROUPS.map((g) => takeBack(stage, g))]);
  await onSideB.stop();
  for (const { group, logs } of before) await expectChoice(stage, group, logs, onSideB);
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

/** The last second before the death: b's MirrorMaker no longer hears of a, which goes on taking records. */
async function tailsGrow({ lab }: Stage, writer: SideWriter): Promise<void> {
  await lab.cut('a', 'b');
  const soFar = writer.acknowledged.length;
  await waitFor('some records that stay on a', () => writer.acknowledged.length > soFar + 200 || undefined, {
    timeoutMs: 20_000,
    pollMs: 20,
  });
}

/** Where b's log ends once the copy has stopped, the pointer still at a: before anybody else writes there. */
async function copyAtRest(stage: Stage): Promise<LogEnds> {
  const ends = await logEndsAtRest(stage.lab.kafka('b'), TOPIC, 10_000);
  expect((await stage.installation.pointer())?.activeCluster).toBe('a');
  return ends;
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

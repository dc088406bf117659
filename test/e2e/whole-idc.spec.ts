import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import type { KafkaVersion } from '#lab';
import { LogReader } from '../../tools/demo/log-reader.js';
import { prove } from '../../tools/demo/proof.js';
import { figure } from './support/figures.js';
import { LONGER_THAN_EVERY_WINDOW_MS, staysFor } from './support/hold.js';
import { Load } from './support/load.js';
import { PlainWriter } from './support/plain-writer.js';
import { Stage, TOPIC } from './support/stage.js';
import { flowStates, isFenced } from './support/world.js';

/** p + t of the fast profile. */
const FENCED_WITHIN_MS = 1_500;
/** In a returning IDC brokers, Connect, controller and agent all start at once on two cores. */
const START_ALLOWANCE_MS = 8_000;

describe.each<KafkaVersion>(['4.3', '3.9'])('a whole IDC dies with the leader in it, Kafka %s', (version) => {
  let stage: Stage;
  let load: Load;
  let reader: LogReader;
  const open: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    stage = await Stage.set({ lab: { clusters: { a: { version }, b: { version } } } });
    open.push(() => stage.close());
    reader = await LogReader.start(stage.lab.kafka('b'), TOPIC);
    open.push(() => reader.close());
    load = await Load.start(stage.lab);
  });
  afterAll(async () => {
    for (const close of open.toReversed()) await close();
  });

  it('is completed by a survivor, loses nothing that was on b, and fences a when it returns', async () => {
    onTestFailed(async () => {
      process.stderr.write(`${await stage.report()}\n`);
    });
    const { lab, installation } = stage;
    const pid = load.process.pid;
    await load.waitForStats('a hundred orders', (s) => s.acknowledged > 100 && s.lastConsumedCluster === 'a');
    expect(await installation.leader()).toBe('a');

    const seenBefore = reader.seen();
    expect(seenBefore.size).toBeGreaterThan(0);
    const killedAtMs = Date.now();
    await lab.kill({ idc: 'a' });
    const pointer = await installation.waitForPointer('b', 1, 60_000);
    const movedMs = Date.now() - killedAtMs;
    await load.waitForStats('goes on at b', (s) => s.lastAckCluster === 'b' && s.lastConsumedCluster === 'b');
    expect(await installation.leader(['b', 'c'])).toMatch(/^[bc]$/);

    const returned = await returnOfA(stage);
    expect(returned.fencedAfterMs).toBeLessThan(FENCED_WITHIN_MS + START_ALLOWANCE_MS);
    await installation.waitForGroup('row 600', (g) => g.row === 600, { timeoutMs: 30_000 });
    await staysFor('nothing moves back', LONGER_THAN_EVERY_WINDOW_MS, async () => {
      if (!(await isFenced(lab, 'a', TOPIC))) return 'a is not fenced';
      const [there, back] = await Promise.all([flowStates(lab, 'a', 'b'), flowStates(lab, 'b', 'a')]);
      if ([...there, ...back].some((state) => state !== 'STOPPED')) return `a→b ${there.join()}, b→a ${back.join()}`;
      return stage.moved('b', pointer.epoch);
    });
    const { lastAckCluster, lastConsumedCluster } = await load.waitForStats('still running', () => true);
    expect({ pid: load.process.pid, lastAckCluster, lastConsumedCluster }).toEqual({
      pid,
      lastAckCluster: 'b',
      lastConsumedCluster: 'b',
    });

    await load.stop();
    await reader.readToEnd(20_000);
    const proof = prove(load.events(), reader.records, seenBefore, 'b', killedAtMs);
    figure(
      `Kafka ${version}: moved after ${movedMs} ms; a fenced ${returned.fencedAfterMs} ms after its first answer, ` +
        `${returned.gotIn} records got in; acknowledged ${proof.acknowledged}, on b before the kill ${proof.replicatedBeforeKill}, ` +
        `lost ${proof.lost.length}, duplicated ${proof.duplicated}`,
    );
    expect(proof.lostReplicated).toBe(0);
    expect(proof.replicatedBeforeKill).toBeGreaterThan(0);
    expect(reader.records.filter((r) => r.id.startsWith('plain-'))).toEqual([]); // a's tail never reaches b
  });
});

type Return = Readonly<{ fencedAfterMs: number; gotIn: number }>;

/** Starts IDC a under the hands of a client that knows no pointer; resolves when that client is refused for good. */
async function returnOfA({ lab }: Stage): Promise<Return> {
  const writer = PlainWriter.start(lab.directBootstrapServers('a'), TOPIC);
  try {
    await lab.start({ idc: 'a' });
    await expect.poll(() => writer.count('refused'), { timeout: 30_000, interval: 20 }).toBeGreaterThan(0);
    const accepted = writer.count('accepted');
    const firstRefused = writer.first('refused');
    if (firstRefused === undefined || writer.firstAnswerMs === null) throw new Error('no write was refused');
    await staysFor('the fence holds', 2_000, () =>
      writer.count('accepted') > accepted ? `a took a write: ${JSON.stringify(writer.last('accepted'))}` : undefined,
    );
    return { fencedAfterMs: Math.round(firstRefused.endedMs - writer.firstAnswerMs), gotIn: accepted };
  } finally {
    await writer.close();
  }
}

import { describe, expect, it } from 'vitest';
import { figure } from './support/figures.js';
import { LONGER_THAN_EVERY_WINDOW_MS, staysFor } from './support/hold.js';
import { PlainWriter } from './support/plain-writer.js';
import { onStage, type Stage, TOPIC } from './support/stage.js';
import { flowStates, isFenced } from './support/world.js';

/** p + t of the fast profile, and what a thawed broker and two cores take. */
const FENCED_WITHIN_MS = 1_500 + 5_000;

describe('the brokers of a freeze while the agent beside them lives', () => {
  it('row 405 acts after the service window; thawed, a is fenced by its own agent', async () => {
    await onStage({}, freezeAndThaw);
  });
});

async function freezeAndThaw(stage: Stage): Promise<void> {
  const { lab, installation } = stage;
  const frozenAtMs = performance.now();
  await lab.freeze({ cluster: 'a' });
  await installation.waitForGroup('row 405', (g) => g.row === 405, { seenBy: ['b', 'c'], timeoutMs: 20_000 });
  const pointer = await installation.waitForPointer('b', 1, 60_000);
  const movedMs = Math.round(performance.now() - frozenAtMs);
  const [saga] = await stage.sagas('c');
  expect(saga?.row).toBe(405);

  const writer = PlainWriter.start(lab.directBootstrapServers('a'), TOPIC);
  try {
    const thawedAtMs = performance.now();
    await lab.thaw({ cluster: 'a' });
    await expect.poll(() => writer.count('refused'), { timeout: 30_000, interval: 20 }).toBeGreaterThan(0);
    const accepted = writer.count('accepted');
    const fencedMs = Math.round((writer.first('refused')?.endedMs ?? Number.NaN) - thawedAtMs);
    figure(`moved after ${movedMs} ms; a fenced ${fencedMs} ms after the thaw, ${accepted} records got in`);
    expect(fencedMs).toBeLessThan(FENCED_WITHIN_MS);
    // Its Connect worker lost its group with the brokers, and belongs to none until it has joined again.
    const states = async () => [...(await flowStates(lab, 'a', 'b')), ...(await flowStates(lab, 'b', 'a'))];
    await staysFor('nothing moves back', LONGER_THAN_EVERY_WINDOW_MS, async () => {
      if (writer.count('accepted') > accepted) return `a took a write: ${JSON.stringify(writer.last('accepted'))}`;
      if (!(await isFenced(lab, 'a', TOPIC))) return 'a is not fenced';
      const running = (await states()).filter((state) => state !== 'STOPPED' && state !== 'UNASSIGNED');
      return running.length === 0 ? stage.moved('b', pointer.epoch) : running.join();
    });
    await expect.poll(states, { timeout: 30_000 }).toEqual(Array.from({ length: 4 }, () => 'STOPPED'));
  } finally {
    await writer.close();
  }
  await installation.waitForGroup('row 600', (g) => g.row === 600, { timeoutMs: 30_000 });
}

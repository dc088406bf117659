import { describe, expect, it } from 'vitest';
import { figure } from './support/figures.js';
import { LONGER_THAN_EVERY_WINDOW_MS, staysFor } from './support/hold.js';
import { useStage } from './support/stage.js';
import { quorumLeader } from './support/world.js';

const SETTLED_MS = 60_000;

describe('a has three brokers and three replicas, b one', () => {
  const stage = useStage({ lab: { clusters: { a: { brokers: 3 }, b: { brokers: 1 } } } });

  const nothingMoves = (): Promise<void> =>
    staysFor('nothing moves', LONGER_THAN_EVERY_WINDOW_MS, () => stage().moved());

  it('the death of one broker moves nothing', async () => {
    const { lab, installation } = stage();
    const leader = await quorumLeader(lab, 'a');
    const victim = leader === 1 ? 2 : 1;
    await lab.kill({ broker: ['a', victim] });
    await nothingMoves();
    await lab.start({ broker: ['a', victim] });
    await installation.waitForSteady(SETTLED_MS);
    expect(await stage().sagas('c')).toEqual([]);
  });

  it('the death of the quorum leader moves nothing', async () => {
    const { lab, installation } = stage();
    const victim = await quorumLeader(lab, 'a');
    await lab.kill({ broker: ['a', victim] });
    await nothingMoves();
    await lab.start({ broker: ['a', victim] });
    await installation.waitForSteady(SETTLED_MS);
    expect(await stage().sagas('c')).toEqual([]);
  });

  it('a rolling restart of all three, each with its goodbye to Kafka, moves nothing', async () => {
    const { lab, installation } = stage();
    for (const id of [1, 2, 3]) {
      await lab.stop({ broker: ['a', id] });
      await lab.start({ broker: ['a', id] });
      await installation.waitForSteady(SETTLED_MS);
      expect(await stage().moved(), `after the restart of broker ${id}`).toBeUndefined();
    }
    expect(await stage().sagas('c')).toEqual([]);
  });

  it('the death of two, and with them of the quorum, is row 405 and moves the traffic', async () => {
    const { lab, installation } = stage();
    const killedAtMs = performance.now();
    await Promise.all([1, 2].map((id) => lab.kill({ broker: ['a', id] })));
    const pointer = await installation.waitForPointer('b', 1, 90_000);
    figure(`moved ${Math.round(performance.now() - killedAtMs)} ms after the death of two brokers`);
    const [saga] = await stage().sagas('c');
    expect(saga?.row).toBe(405);
    expect(saga?.id).toBe(pointer.sagaId);
  });
});

import { describe, expect, it } from 'vitest';
import type { LabIdc } from '#lab';
import { LONGER_THAN_EVERY_WINDOW_MS, staysFor } from './support/hold.js';
import { Load } from './support/load.js';
import { useStage } from './support/stage.js';

const BACK_MS = 30_000;

/** SIGTERM is a goodbye: what follows is no evidence of anything (I13). */
describe('planned stops', () => {
  const stage = useStage();

  async function unmoved(): Promise<string | undefined> {
    if (stage().alertTypes().includes('suspected')) return 'an alert "suspected" was sent';
    return stage().moved();
  }

  async function restart(process: string): Promise<void> {
    await stage().lab.stop({ process });
    await stage().lab.start({ process });
    await stage().installation.waitForSteady(BACK_MS);
    expect(await unmoved(), `after the restart of ${process}`).toBeUndefined();
  }

  it('a rolling restart of every agent and controller under load, the leader included, moves nothing', async () => {
    const { installation, lab } = stage();
    const load = await Load.start(lab);
    await load.waitForStats('orders flow', (s) => s.acknowledged > 100 && s.lastConsumedCluster === 'a');
    const idcs: readonly LabIdc[] = ['a', 'b', 'c'];
    for (const idc of idcs) await restart(`agent-${idc}`);
    const leader = await installation.leader();
    if (leader === null) throw new Error('nobody leads');
    await restart(`ctl-${leader}`);
    expect(await installation.leader()).not.toBeNull();
    for (const idc of idcs.filter((each) => each !== leader)) await restart(`ctl-${idc}`);
    expect(await stage().sagas('c')).toEqual([]);
    await load.stop();
    const orders = load.events();
    expect(orders.filter((e) => e.kind === 'failed' || e.cluster !== 'a')).toEqual([]);
    const consumed = new Set(orders.flatMap((e) => (e.kind === 'consumed' ? [e.id] : [])));
    const waiting = orders.filter((e) => e.kind === 'acknowledged' && !consumed.has(e.id));
    expect(waiting.length, 'orders that were not read yet').toBeLessThan(100);
  });

  it('an agent that is stopped and not started again moves nothing', async () => {
    const { lab, installation } = stage();
    await lab.stop({ process: 'agent-a' });
    expect(lab.process('agent-a').lastExit).toMatchObject({ code: 0 });
    await staysFor('nothing moves', LONGER_THAN_EVERY_WINDOW_MS, unmoved);
    await lab.start({ process: 'agent-a' });
    await installation.waitForSteady(BACK_MS);
    expect(await unmoved()).toBeUndefined();
    expect(await stage().sagas('c')).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { waitFor } from '#lab';
import { say, Stand } from './support/stand.js';

const OPENS_MS = 40_000;
const CLOSES_MS = 90_000;

describe('a failover that cannot end well walks back', () => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await Stand.set({ installation: { firstLeader: 'c' } });
  });
  afterAll(async () => {
    await stand.close();
  });
  const reportFailure = (): void => onTestFailed(async () => say(await stand.report()));

  it('the source answers again between open and publish: RECOVERED, nothing moved, nothing left fenced', async () => {
    reportFailure();
    const { lab, store, installation } = stand;
    await lab.freeze({ cluster: 'a' });
    const saga = await store.waitForEntry({ step: 'fence-source', event: 'intent' }, OPENS_MS);
    await lab.thaw({ cluster: 'a' });

    expect(await store.waitForOutcome(saga.id, CLOSES_MS)).toBe('RECOVERED');
    expect(saga.row).toBe(405);
    expect(stand.trail.steps).toEqual(['a@1']);
    await stand.write('a', 'after the recovery');
    const running = expect.stringMatching(/^RUNNING/) as string;
    expect(await stand.flowStates('a', 'b')).toEqual([running, running]);
    await stand.waitForAlert('compensated', 10_000);
    await installation.waitForSteady(60_000);
    expect(stand.trail.steps).toEqual(['a@1']);
  });

  it('the target dies before publish: compensated, and the source, started again, accepts a write', async () => {
    reportFailure();
    const { lab, store, installation } = stand;
    const alerts = stand.receiver.alerts.length;
    await lab.kill({ idc: 'a' });
    const saga = await store.waitForEntry({ step: 'stop-replication', event: 'done' }, OPENS_MS);
    await lab.kill({ cluster: 'b' });

    expect(await store.waitForOutcome(saga.id, CLOSES_MS)).toBe('FAILED');
    expect(stand.trail.steps).toEqual(['a@1']);
    await stand.waitForAlert('compensated', 10_000, alerts);
    expect(await store.goals()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ subject: 'cluster', cluster: 'a', state: 'open' }),
        expect.objectContaining({ subject: 'flow', from: 'a', to: 'b', state: 'running' }),
      ]),
    );

    await lab.start({ idc: 'a' });
    // Only after its agent is back with its goals, so that a fence could have come too.
    await waitFor(
      'the agent of a reports to the leader again',
      async () => {
        const { agents } = await installation
          .api('c')
          .get<{ agents: readonly { agent: string; connected: boolean }[] }>('/v1/agents');
        return agents.some((a) => a.agent === 'agent-a' && a.connected) ? true : undefined;
      },
      { timeoutMs: 30_000 },
    );
    await installation.waitForGroup('the source answers', (g) => [515, 520, 600, 610, 700].includes(g.row ?? 0), {
      seenBy: ['c'],
      timeoutMs: 30_000,
    });
    await stand.write('a', 'after the compensation');
    expect(stand.trail.steps).toEqual(['a@1']);
  });
});

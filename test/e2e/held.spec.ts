import { describe, expect, it } from 'vitest';
import { FAST_PROFILE, GROUP, type GroupStatus } from '../../tools/installation/index.js';
import { waitFor } from '#lab';
import { parseDurationMs } from '#platform';
import { onStand, say, type Stand } from './support/stand.js';

const HELD_MS = 40_000;
const ACTS_MS = 40_000;
const windowMs = (name: keyof typeof FAST_PROFILE.windows): number =>
  parseDurationMs(FAST_PROFILE.windows[name]) ?? Number.NaN;

describe('a due failover that is blocked is held, and lifting the blocker acts at once', () => {
  it('config center down: held, the source is not fenced although its agent could; back, it acts', async () => {
    const options = { lab: { etcd: true }, installation: { configCenter: 'etcd', firstLeader: 'c' } } as const;
    await onStand(options, async (stand) => {
      const { lab, installation, store, trail } = stand;
      await lab.kill({ etcd: true });
      // Its canary is written each 10 s, longer than this profile's windows: what nobody knows yet holds nothing up.
      await installation.waitForGroup('the center is known to be away', (g) => g.row === 700, {
        seenBy: ['c'],
        timeoutMs: HELD_MS,
      });
      await lab.resetProxyStats();
      await lab.freeze({ cluster: 'a' }); // not killed: its agent lives and would carry a fence out
      await held(stand, 'NOT_PUBLISHABLE', 405);
      const alert = await stand.waitForAlert('held', 10_000);
      expect(alert.blockers.find((b) => b.name === 'NOT_PUBLISHABLE')?.liftedBy).toMatch(/config center/);
      expect(await store.sagas()).toEqual([]);
      expect((await store.goals()).filter((g) => g.subject === 'cluster')).toEqual([]);
      expect(await changesSentTo(stand, 'a')).toEqual([]);

      const liftedAtMs = Date.now();
      await lab.start({ etcd: true });
      const pointer = await installation.waitForPointer('b', 1, ACTS_MS);
      say(`acted ${((Date.now() - liftedAtMs) / 1000).toFixed(1)} s after etcd was started again`);
      expect(pointer.epoch).toBe(2);
      expect(await trail.stepsWith('b@2')).toEqual(['a@1', 'b@2']);
      expect(await store.goals()).toContainEqual(expect.objectContaining({ cluster: 'a', state: 'fenced', epoch: 2 }));
    });
  });

  it('lag above budget: held, explain names the lifting call; accept-loss acts without a new window', async () => {
    const group = { maxRpo: { records: 20, duration: '30s' } };
    await onStand({ installation: { group, firstLeader: 'c' } }, async (stand) => {
      const { lab, installation, store, trail } = stand;
      await stand.write('a', ...numbered('copied', 50));
      const pause = await fetch(`${lab.directConnectUrl('b')}/connectors/a-b-src/pause`, { method: 'PUT' });
      expect(pause.status).toBe(202);
      await waitFor(
        'the source connector is paused',
        async () => ((await stand.connectorState('b', 'a-b-src')) === 'PAUSED PAUSED' ? true : undefined),
        { timeoutMs: HELD_MS },
      );
      await stand.write('a', ...numbered('only on a', 300));
      await installation.waitForGroup('the lag is above the budget', (g) => (g.lag.records ?? 0) >= 300, {
        seenBy: ['c'],
        timeoutMs: HELD_MS,
      });
      const alerts = stand.receiver.alerts.length;
      await lab.kill({ idc: 'a' });
      await held(stand, 'LAG_OVER_BUDGET', 410);
      const alert = await stand.waitForAlert('held', 10_000, alerts);
      const liftedBy = alert.blockers.find((b) => b.name === 'LAG_OVER_BUDGET')?.liftedBy ?? '';
      const [lifting, records] = /pointsman accept-loss orders --max-records (\d+)/.exec(liftedBy) ?? [];
      const maxRecords = Number(records);
      expect(maxRecords).toBeGreaterThanOrEqual(300);
      expect(maxRecords).toBeLessThanOrEqual(350); // the first fifty may still be on their way
      const { text } = await installation.api('c').get<{ text: string }>(`/v1/groups/${GROUP}/explain`);
      expect(text).toContain(lifting);
      expect(await store.sagas()).toEqual([]);

      const accepted = { reason: 'INC-7', by: 'kim', maxRecords, expiresIn: '30m' };
      const liftedAtMs = Date.now();
      const answer = await installation.api('c').post(`/v1/groups/${GROUP}/accept-loss`, accepted, 1);
      expect(answer).toMatchObject({ status: 202 });
      await installation.waitForPointer('b', 1, ACTS_MS);
      const actedAfterMs = Date.now() - liftedAtMs;
      say(`acted ${(actedAfterMs / 1000).toFixed(1)} s after accept-loss`);
      expect(actedAfterMs).toBeLessThan(windowMs('isolated'));
      expect(await trail.stepsWith('b@2')).toEqual(['a@1', 'b@2']);
    });
  });
});

const numbered = (what: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${what} ${i}`);

/** Waits until the window is full and only this blocker forbids the act; nothing moved on the way there. */
async function held(stand: Stand, blocker: string, row: number): Promise<void> {
  const isHeld = (g: GroupStatus): boolean =>
    g.row === row && g.window?.complete === true && g.blockers.map((b) => b.name).join() === blocker;
  await stand.installation.waitForGroup(`held by ${blocker}`, isHeld, { seenBy: ['c'], timeoutMs: HELD_MS });
  expect(stand.trail.steps).toEqual(['a@1']);
}

/** Kafka requests that change topics or configurations, by whoever, to the brokers of an IDC. Ordinary and canary writes are none. */
async function changesSentTo({ lab }: Stand, idc: string): Promise<string[]> {
  const { mutating } = await lab.proxyStats();
  return Object.entries(mutating.kafka)
    .filter(([pair]) => pair.endsWith(`->${idc}`))
    .flatMap(([, counts]) => Object.keys(counts))
    .filter((api) => /config|acl|topic|partition/i.test(api));
}

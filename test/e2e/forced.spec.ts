import { describe, expect, it } from 'vitest';
import { waitFor } from '#lab';
import { GROUP } from '../../tools/installation/index.js';
import { onStand, say, type Stand } from './support/stand.js';

const SEEN_MS = 40_000;
const ACTS_MS = 40_000;

type Answer = Readonly<{ saga: string | null; loss?: Readonly<{ knownRecords: number | null }> }>;
type Refused = Readonly<{ blockedBy: readonly Readonly<{ name: string; liftedBy: string }>[] }>;

describe('a failover by order', () => {
  it('nothing moves by itself in mode observe; an order within its limit of loss moves at once, and not before that', async () => {
    const group = { mode: 'observe', maxRpo: { records: 20, duration: '30s' } } as const;
    await onStand({ installation: { group, firstLeader: 'c' } }, async (stand) => {
      const { lab, installation, store, trail } = stand;
      await leaveBehind(stand, 300);
      expect(names(await order(stand, { maxRecords: 1_000 }))).toEqual(['SOURCE_ANSWERS']);

      await lab.kill({ idc: 'a' });
      await installation.waitForGroup('its death is seen', (g) => g.row === 410, { seenBy: ['c'], timeoutMs: SEEN_MS });
      // One more if the connector was paused before it had copied the first record.
      const asked = (await order(stand, { maxRecords: 1_000 }, { dryRun: true })).body as Answer;
      const lag = asked.loss?.knownRecords ?? 0;
      expect([300, 301]).toContain(lag);
      expect(names(await order(stand, { maxRecords: lag - 1 }))).toEqual(['LAG_OVER_BUDGET']);
      const rehearsed = await order(stand, { maxRecords: lag }, { dryRun: true });
      expect(rehearsed).toMatchObject({ status: 202, body: { saga: null, loss: { knownRecords: lag } } });
      expect(await store.sagas()).toEqual([]);
      expect(trail.steps).toEqual(['a@1']);

      const orderedAtMs = Date.now();
      const begun = await order(stand, { maxRecords: lag });
      expect(begun.status).toBe(202);
      await installation.waitForPointer('b', 1, ACTS_MS);
      say(`moved ${((Date.now() - orderedAtMs) / 1000).toFixed(1)} s after the order`);
      expect(await trail.stepsWith('b@2')).toEqual(['a@1', 'b@2']);
      const { saga } = begun.body as Answer;
      const end = await waitFor(
        'the ordered failover ends',
        async () => {
          const operation = await installation.api('c').get<{ outcome: string | null }>(`/v1/operations/${saga ?? ''}`);
          return operation.outcome ?? undefined;
        },
        { timeoutMs: ACTS_MS },
      );
      expect(end).toMatch(/^DONE/);
    });
  });
});

/** Records that only a holds, with the copy standing still. */
async function leaveBehind(stand: Stand, count: number): Promise<void> {
  const { lab, installation } = stand;
  await stand.write('a', 'copied');
  const pause = await fetch(`${lab.directConnectUrl('b')}/connectors/a-b-src/pause`, { method: 'PUT' });
  expect(pause.status).toBe(202);
  await waitFor(
    'the source connector is paused',
    async () => ((await stand.connectorState('b', 'a-b-src')) === 'PAUSED PAUSED' ? true : undefined),
    { timeoutMs: SEEN_MS },
  );
  await stand.write('a', ...Array.from({ length: count }, (_, i) => `only on a ${i}`));
  await installation.waitForGroup('the lag is seen', (g) => (g.lag.records ?? 0) >= count, {
    seenBy: ['c'],
    timeoutMs: SEEN_MS,
  });
}

const order = ({ installation }: Stand, acceptLoss: Readonly<{ maxRecords: number }>, more: object = {}) =>
  installation
    .api('c')
    .post(`/v1/groups/${GROUP}/failover`, { reason: 'INC-7', by: 'kim', target: 'b', acceptLoss, ...more }, 1);

const names = ({ body }: Readonly<{ body: unknown }>): readonly string[] =>
  (body as Refused).blockedBy.map((reason) => reason.name);

import { describe, expect, it } from 'vitest';
import { stepsOf } from '#failover';
import { Counters, count, verdictText } from './support/count.js';
import { figure } from './support/figures.js';
import { beginChain, type Chain, followChain, type Link } from './support/leader-chain.js';
import { Load } from './support/load.js';
import { askForSwitch, endOfSwitch, told } from './support/planned.js';
import { TOPIC } from './support/stage.js';
import { onStand } from './support/stand.js';

type Point = Exclude<Link['at'], null>;

/** Two leaders die before publish (each tells clients anew, and a saga has epochs for three of them), two after it. */
type Deaths = readonly [Point, Point, Point, Point];

const SHORT: readonly Deaths[] = [
  ['before:fence-source', 'after:hold-consumers', 'after:publish', 'before:reverse'],
  ['after:set-offsets', 'before:publish', 'after:exchange-fence', 'after:reverse'],
];

/** Round every step with an effect outside the journal; a multiple of two switches, there and back. */
function everyPoint(): readonly Deaths[] {
  const steps = stepsOf('switchover');
  const round = (from: number, to: number): readonly Point[] =>
    steps.slice(from, to).flatMap((step): Point[] => [`before:${step}`, `after:${step}`]);
  const publish = steps.indexOf('publish');
  const before = pairs([...round(steps.indexOf('check-publishable'), publish), 'before:publish']);
  const after = pairs(['after:publish', ...round(publish + 1, steps.indexOf('close'))]);
  const switches = 2 * Math.ceil(Math.max(before.length, after.length) / 2);
  const at = (of: readonly Pair[], i: number): Pair => of[i % of.length] ?? of[0]!;
  return Array.from({ length: switches }, (_, i) => [...at(before, i), ...at(after, i)] as const);
}

type Pair = readonly [Point, Point];

/** Neighbours, in the order of the steps: what a saga has passed it does not come to again. Of an odd number the last but one is in two. */
function pairs(points: readonly Point[]): readonly Pair[] {
  const starts = points.flatMap((_, i) => (i % 2 === 0 ? [Math.min(i, points.length - 2)] : []));
  return starts.map((i): Pair => [points[i]!, points[i + 1]!]);
}

const DEATHS = Number(process.env['POINTSMAN_SWITCH_ROUNDS'] ?? 1) > 1 ? everyPoint() : SHORT;

const chainOf = ([first, second, third, fourth]: Deaths): Chain => [
  { idc: 'c', at: first },
  { idc: 'b', at: second },
  { idc: 'c', at: third },
  { idc: 'b', at: fourth },
  { idc: 'c', at: null },
];

/** I22 to I24 and I36 on real Kafka: leaders die by kill -9, applications notice nothing but the switch. */
describe('planned switches whose leaders die', () => {
  it(
    `${DEATHS.length} switches, four leaders lost in each: done, nothing lost, nothing skipped`,
    () =>
      onStand({ partitions: 6, installation: { firstLeader: 'c' } }, async (stand) => {
        const counters = await Counters.start(stand, { a: [TOPIC], b: [TOPIC] });
        const load = await Load.start(stand.lab, { ordersPerSecond: 200, producerMode: 'mixed', idleMs: 2_000 });
        try {
          await load.waitForStats('two hundred orders', (s) => s.acknowledged > 200 && s.lastConsumedCluster === 'a');
          let drained = true;
          for (const [i, deaths] of DEATHS.entries()) {
            const to = i % 2 === 0 ? 'b' : 'a';
            const chain = chainOf(deaths);
            await beginChain(stand, chain);
            const saga = await askForSwitch(stand, to, ['c']);
            const terms = await followChain(stand, chain);
            const operation = await endOfSwitch(stand, saga);
            expect({ outcome: operation.outcome, steps: told(operation) }).toMatchObject({ outcome: 'DONE' });
            const journal = await stand.store.journal(saga);
            expect(journal.map((e) => e.term)).toEqual(journal.map((e) => e.term).toSorted((x, y) => x - y));
            expect(journal.at(-1)?.term).toBe(terms.at(-1));
            expect(journal.filter((e) => e.direction === 'undo')).toEqual([]);
            expect(await stand.installation.pointer()).toMatchObject({ activeCluster: to, mode: 'ACTIVE' });
            await load.waitForStats(`goes on at ${to}`, (s) => s.lastAckCluster === to && s.lastConsumedCluster === to);
            await stand.installation.waitForSteady(60_000, ['c']);
            const held = operation.steps.findLast((s) => s.step === 'hold-consumers' && s.event === 'done');
            drained &&= /; 1 of 1 drained/.test(held?.summary ?? '');
          }
          const verdict = await count(load, counters);
          figure(`${DEATHS.length} switches, ${4 * DEATHS.length} leaders killed: ${verdictText(verdict)}`);
          expect(verdict.lost).toEqual([]);
          expect(verdict.skipped).toEqual([]);
          expect(verdict.duplicated).toBeLessThanOrEqual(verdict.resent);
          expect(verdict.records.a).toBe(verdict.records.b); // neither a loop nor history that travelled back
          if (drained) expect(verdict.readTwice).toBeLessThanOrEqual(verdict.duplicated);
        } finally {
          await counters.close();
        }
      }),
    120_000 * DEATHS.length + 120_000,
  );
});

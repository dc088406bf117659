import { describe, expect, it } from 'vitest';
import { formatPartitionProof, provePartitions } from '../../tools/demo/proof.js';
import type { InstallationOptions } from '../../tools/installation/index.js';
import { Counters, count, verdictText } from './support/count.js';
import { figure } from './support/figures.js';
import { Load } from './support/load.js';
import { askForSwitch, endOfSwitch, timesOf, told } from './support/planned.js';
import { Stage, TOPIC } from './support/stage.js';
import { flowStates } from './support/world.js';

/** There and back is one round, of each policy; a long run says POINTSMAN_SWITCH_ROUNDS=10. */
const ROUNDS = Number(process.env['POINTSMAN_SWITCH_ROUNDS'] ?? 1);
const PARTITIONS = 20;
const ORDERS_PER_SECOND = 2_000;

type Case = Readonly<{
  naming: NonNullable<InstallationOptions['group']>['naming'];
  rounds: number;
  topics: Readonly<Record<'a' | 'b', readonly string[]>>; // that hold orders in the end
  consumedTopics?: string;
}>;

const CASES: readonly Case[] = [
  { naming: 'identity', rounds: ROUNDS, topics: { a: [TOPIC], b: [TOPIC] } },
  {
    naming: 'default',
    rounds: Math.max(1, Math.floor(ROUNDS / 2)), // half of a long run
    topics: { a: [TOPIC, `b.${TOPIC}`], b: [TOPIC, `a.${TOPIC}`] },
    consumedTopics: `^([ab]\\.)?${TOPIC}$`,
  },
];

/** I36 and the flow control of the flip, counted by readers that know neither pointer nor wrapper. */
describe('planned switches under load, of idempotent and of transactional producers', () => {
  it.each(CASES)(
    `$rounds times there and back, policy $naming: nothing lost, nothing skipped, nothing twice`,
    async ({ naming, rounds, topics, consumedTopics }) => {
      const stage = await Stage.set({ partitions: PARTITIONS, installation: { group: { naming } } });
      const open: (() => Promise<void>)[] = [() => stage.close()];
      try {
        // The copy's topic on b is there since its flow runs; the other one comes with the first switch.
        for (const name of topics.a.filter((t) => t !== TOPIC))
          await stage.lab.createTopic('a', { name, partitions: PARTITIONS });
        const counters = await Counters.start(stage, topics);
        open.push(() => counters.close());
        const load = await Load.start(stage.lab, {
          ordersPerSecond: ORDERS_PER_SECOND,
          producerMode: 'mixed',
          idleMs: 2_000,
          ...(consumedTopics === undefined ? {} : { consumedTopics }),
        });
        await load.waitForStats('two thousand orders', (s) => s.acknowledged > 2_000 && s.lastConsumedCluster === 'a');
        const pid = load.process.pid;
        const moves: Move[] = [];
        for (let round = 1; round <= rounds; round++) {
          moves.push(await move(stage, load, 'a', 'b'), await move(stage, load, 'b', 'a'));
        }
        expect(load.process.pid).toBe(pid);

        const verdict = await count(load, counters);
        figure(`policy ${naming}, ${rounds} rounds: ${verdictText(verdict)}; ${moves.map((m) => m.took).join('; ')}`);
        figure(
          formatPartitionProof(provePartitions(load.events(), counters.records('a'), true)).replaceAll(
            '\n',
            '\n      ',
          ),
        );
        expect(verdict.lost).toEqual([]);
        expect(verdict.skipped).toEqual([]);
        expect(verdict.duplicated).toBeLessThanOrEqual(verdict.resent);
        // Neither a loop nor history that travelled back.
        expect(verdict.records.a).toBe(verdict.records.b);
        if (moves.every((m) => m.drained)) expect(verdict.readTwice).toBeLessThanOrEqual(verdict.duplicated);
      } catch (error) {
        process.stderr.write(`${await stage.report()}\n`);
        throw error;
      } finally {
        for (const close of open.toReversed()) await close();
      }
    },
    120_000 * ROUNDS + 240_000,
  );
});

type Move = Readonly<{ took: string; drained: boolean }>;

/** One planned switch by the API; resolves when the load works at the new side. */
async function move(stage: Stage, load: Load, from: 'a' | 'b', to: 'a' | 'b'): Promise<Move> {
  const { lab } = stage;
  const operation = await endOfSwitch(stage, await askForSwitch(stage, to));
  expect({ outcome: operation.outcome, steps: told(operation) }).toMatchObject({ outcome: 'DONE' });
  await load.waitForStats(`goes on at ${to}`, (s) => s.lastAckCluster === to && s.lastConsumedCluster === to);
  expect(await flowStates(lab, from, to)).toEqual(['STOPPED', 'STOPPED']);
  expect(await flowStates(lab, to, from)).toEqual(['RUNNING', 'RUNNING']);
  const held = operation.steps.findLast((s) => s.step === 'hold-consumers' && s.event === 'done');
  return { took: `${from}→${to} ${timesOf(operation)}`, drained: /; 1 of 1 drained/.test(held?.summary ?? '') };
}

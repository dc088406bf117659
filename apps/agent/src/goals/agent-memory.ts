import { join } from 'node:path';
import { z } from 'zod';
import { FENCE_KINDS, type ClusterGoal, type Goal } from '#failover';
import type { Logger } from '#platform';
import type { Watch } from '#rpc';
import { AtomicFile } from './atomic-file.js';
import { type Floors, NO_FLOORS } from './goal-rules.js';

/** What the agent keeps on disk: its own goals with the floors that no leader may go below, and the cached watch list. */
export class AgentMemory {
  readonly #goals: AtomicFile<typeof goalsFile>;
  readonly #watch: AtomicFile<typeof watchFile>;
  #floors: Floors = NO_FLOORS;
  #kept: readonly Goal[] = [];
  #watched: Watch = { groups: [], clusters: [] };

  constructor(dataDir: string, logger: Logger) {
    this.#goals = new AtomicFile(join(dataDir, 'goals.json'), goalsFile, logger);
    this.#watch = new AtomicFile(join(dataDir, 'watch.json'), watchFile, logger);
    const goals = this.#goals.read();
    if (goals !== null) {
      this.#floors = goals.floors;
      this.#kept = goals.goals;
    }
    const watch = this.#watch.read();
    if (watch !== null) this.#watched = watch.watch;
  }

  get floors(): Floors {
    return this.#floors;
  }

  get keptGoals(): readonly Goal[] {
    return this.#kept;
  }

  get watch(): Watch {
    return this.#watched;
  }

  saveGoals(floors: Floors, kept: readonly Goal[]): void {
    this.#floors = floors;
    this.#kept = kept;
    this.#goals.write({ version: 1, floors: mutable(floors), goals: kept.map(mutableGoal) });
  }

  saveWatch(watch: Watch): void {
    this.#watched = watch;
    this.#watch.write({ version: 1, watch: structuredClone(watch) as z.input<typeof watchFile>['watch'] });
  }
}

const mutable = (floors: Floors): z.input<typeof floorsSchema> => ({
  highestTerm: floors.highestTerm,
  groupEpochs: { ...floors.groupEpochs },
  goalEpochs: { ...floors.goalEpochs },
});

const mutableGoal = (goal: Goal): z.input<typeof goalSchema> =>
  goal.subject === 'cluster' ? mutableClusterGoal(goal) : { ...goal };

const mutableClusterGoal = ({ kinds, ...goal }: ClusterGoal): z.input<typeof goalSchema> => ({
  ...goal,
  topics: [...goal.topics],
  ...(kinds === undefined ? {} : { kinds: [...kinds] }),
});

const count = z.int().min(0);
const connectors = z.strictObject({ source: z.string(), checkpoint: z.string(), heartbeat: z.string() });
const stamp = { group: z.string(), epoch: count, term: count };

const goalSchema = z.discriminatedUnion('subject', [
  z.strictObject({
    subject: z.literal('cluster'),
    ...stamp,
    cluster: z.string(),
    state: z.enum(['fenced', 'open']),
    topics: z.array(z.string()),
    kinds: z.array(z.enum(FENCE_KINDS)).optional(),
  }),
  z.strictObject({
    subject: z.literal('flow'),
    ...stamp,
    from: z.string(),
    to: z.string(),
    state: z.enum(['running', 'stopped']),
    connectors,
  }),
]);

const floorsSchema = z.strictObject({
  highestTerm: count,
  groupEpochs: z.record(z.string(), count),
  goalEpochs: z.record(z.string(), count),
});

const goalsFile = z.strictObject({ version: z.literal(1), floors: floorsSchema, goals: z.array(goalSchema) });

const watchFile = z.strictObject({
  version: z.literal(1),
  watch: z.strictObject({
    clusters: z.array(z.strictObject({ name: z.string(), idc: z.string() })),
    groups: z.array(
      z.strictObject({
        name: z.string(),
        clusters: z.array(z.string()),
        topics: z.array(z.string()),
        consumerGroups: z.array(z.string()),
        principals: z.array(z.string()),
        flows: z.array(
          z.strictObject({
            from: z.string(),
            to: z.string(),
            naming: z.enum(['identity', 'default']),
            connectors,
          }),
        ),
        active: z.string().nullable(),
        epoch: count,
      }),
    ),
  }),
});

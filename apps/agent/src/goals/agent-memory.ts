import { join } from 'node:path';
import { z } from 'zod';
import {
  FENCE_KINDS,
  type ClusterGoal,
  type ConnectorNames,
  type FlowGoal,
  type Goal,
  type WatchGroup,
} from '#failover';
import type { Logger } from '#platform';
import type { Watch } from '#rpc';
import { AtomicFile, DiskError } from './atomic-file.js';
import { type Floors, NO_FLOORS } from './goal-rules.js';

/** What the agent keeps on disk: its own goals with the floors that no leader may go below, and the cached watch list. */
export class AgentMemory {
  readonly #goals: AtomicFile<typeof goalsFile>;
  readonly #watch: AtomicFile<typeof watchFile>;
  readonly #logger: Logger;
  #floors: Floors = NO_FLOORS;
  #kept: readonly Goal[] = [];
  #watched: Watch = { groups: [], clusters: [] };

  constructor(dataDir: string, logger: Logger) {
    this.#logger = logger;
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

  /** On disk when this returns; else nothing is remembered. @throws {DiskError} */
  saveGoals(floors: Floors, kept: readonly Goal[]): void {
    this.#goals.write({ version: 1, floors, goals: kept });
    this.#floors = floors;
    this.#kept = kept;
  }

  /** A higher term counts in this process even if the disk does not take it: nothing is done in its name yet. */
  saveTerm(highestTerm: number): void {
    this.#floors = { ...this.#floors, highestTerm };
    this.#orTell(() => this.#goals.write({ version: 1, floors: this.#floors, goals: this.#kept }));
  }

  /** The same of the watch list: an old one on disk is only less good after a restart. */
  saveWatch(watch: Watch): void {
    this.#watched = watch;
    this.#orTell(() => this.#watch.write({ version: 1, watch }));
  }

  #orTell(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#logger.error({ error }, 'kept in memory only: a restart forgets it');
    }
  }
}

/**
 * Every member of the type, the optional ones too. The files are strict: what a type has and its schema lacks would be
 * written, and refused at the next start with all the rest.
 */
type ShapeOf<T> = { [K in keyof T]-?: z.ZodType<T[K]> };

const count = z.int().min(0);
const names = z.array(z.string()).readonly();
const connectors = z.strictObject({
  source: z.string(),
  checkpoint: z.string(),
  heartbeat: z.string(),
} satisfies ShapeOf<ConnectorNames>);
const stamp = { group: z.string(), epoch: count, term: count };

const goalSchema = z.discriminatedUnion('subject', [
  z.strictObject({
    subject: z.literal('cluster'),
    ...stamp,
    cluster: z.string(),
    state: z.enum(['fenced', 'open']),
    topics: names,
    kinds: z.array(z.enum(FENCE_KINDS)).readonly().optional(),
    deniedGroups: names.optional(),
    previous: z.record(z.string(), z.string().nullable()).optional(),
  } satisfies ShapeOf<ClusterGoal>),
  z.strictObject({
    subject: z.literal('flow'),
    ...stamp,
    from: z.string(),
    to: z.string(),
    state: z.enum(['running', 'stopped']),
    connectors,
  } satisfies ShapeOf<FlowGoal>),
]);

const floorsSchema = z.strictObject({
  highestTerm: count,
  groupEpochs: z.record(z.string(), count),
  goalEpochs: z.record(z.string(), count),
} satisfies ShapeOf<Floors>);

const goalsFile = z.strictObject({
  version: z.literal(1),
  floors: floorsSchema,
  goals: z.array(goalSchema).readonly(),
});

const watchedFlow = z.strictObject({
  from: z.string(),
  to: z.string(),
  naming: z.enum(['identity', 'default']),
  connectors,
  dedicated: z.boolean().optional(),
} satisfies ShapeOf<WatchGroup['flows'][number]>);

const watchedGroup = z.strictObject({
  name: z.string(),
  clusters: names,
  topics: names,
  consumerGroups: names,
  principals: names,
  flows: z.array(watchedFlow).readonly(),
  active: z.string().nullable(),
  epoch: count,
} satisfies ShapeOf<WatchGroup>);

const watchFile = z.strictObject({
  version: z.literal(1),
  watch: z.strictObject({
    clusters: z
      .array(z.strictObject({ name: z.string(), idc: z.string() } satisfies ShapeOf<Watch['clusters'][number]>))
      .readonly(),
    groups: z.array(watchedGroup).readonly(),
  } satisfies ShapeOf<Watch>),
});

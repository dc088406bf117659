import { checkTopic, type ClusterGoal, goalKey, SELF_FENCE_POLL_MS, START_WAIT_MS, type WatchGroup } from '#failover';
import type { ClusterName, Ms } from '#health';
import type { Logger } from '#platform';
import type { SelfFenceUpdate } from '#rpc';
import { DiskError } from '../goals/atomic-file.js';
import type { Floors } from '../goals/goal-rules.js';
import type { Hands, MonotonicClock } from '../ports.js';
import type { SelfFenceMemory } from './self-fence-memory.js';
import { afterStart, type ArmedEntry, hear, isOverdue, type LeaseToken, type Life } from './self-fence-rules.js';

export type SelfFenceOptions = Readonly<{
  hands: Pick<Hands, 'apply' | 'observe'>;
  memory: SelfFenceMemory;
  clock: MonotonicClock;
  logger: Logger;
  floors: () => Floors;
  watched: (group: string) => WatchGroup | null;
  /** How long a self-fence that is to be given up is kept: 3p + t. */
  quietMs: Ms;
  /** The least that closing this cluster takes, measured or not: a hook may use all its time-out. */
  applyFloorMs: (cluster: ClusterName) => Ms;
  effectTimeoutMs: Ms;
}>;

/** Closing reads, writes and reads back; looking only reads. */
const CLOSING_PER_LOOK = 4;
const MEASURE_EVERY_MS: Ms = 60_000;

/** What this process knows of one armed cluster besides its life. */
type Place = {
  life: Life;
  running: Promise<void> | null;
  closed: boolean;
  lookMs: Ms | null; // measured; null: not yet
  closingMs: Ms; // the longest closing seen
  lookedAtMs: Ms | null;
  trouble: string | null; // why it is not closed yet; told once
};

/**
 * Closes the agent's own cluster when no leader has given a sign of life for too long (strict fencing). Only a leader's
 * token is one. What it closed is opened again by a leader's goal alone, never by this.
 */
export class SelfFenceKeeper {
  readonly #o: SelfFenceOptions;
  readonly #places = new Map<string, Place>();
  #newest: Readonly<{ term: number; number: number }> = { term: 0, number: 0 };
  #timer: NodeJS.Timeout | null = null;
  #closing = false;
  #diskTrouble = false;

  constructor(options: SelfFenceOptions) {
    this.#o = options;
    const now = options.clock();
    for (const entry of options.memory.read()) {
      this.#places.set(placeKey(entry), newPlace(afterStart(entry, now, START_WAIT_MS)));
    }
  }

  start(): void {
    this.#timer ??= setInterval(() => this.tick(), SELF_FENCE_POLL_MS);
  }

  async close(): Promise<void> {
    this.#closing = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await Promise.all([...this.#places.values()].map(({ running }) => running).filter((running) => running !== null));
  }

  /** A token of a leader; an older one than heard, or of an older term, says nothing. */
  take(token: LeaseToken): void {
    const { term, number } = token;
    if (term < this.#o.floors().highestTerm || term < this.#newest.term) return;
    if (term === this.#newest.term && number <= this.#newest.number) return;
    this.#newest = { term, number };
    const now = this.#o.clock();
    const lives = new Map([...this.#places].map(([key, place]) => [key, place.life]));
    for (const grant of token.grants) {
      const key = placeKey(grant);
      const life = hear(lives.get(key) ?? null, grant, token, now, this.#o.quietMs);
      if (life === null) lives.delete(key);
      else lives.set(key, life);
    }
    this.#replaceAll(this.#save(lives) ? lives : this.#withoutNews(lives));
  }

  /** Closes what is overdue and not closed yet. */
  tick(): void {
    for (const place of this.#places.values()) {
      if (!this.#isDue(place)) place.closed = false;
      else if (!place.closed) this.#run(place, () => this.#shut(place));
    }
  }

  /** Called after every probe round in which the cluster answered: one that returns is closed before anything else. */
  clusterAnswered(cluster: ClusterName): void {
    for (const place of this.#places.values()) {
      if (place.life.entry.cluster !== cluster) continue;
      if (this.#isDue(place)) this.#run(place, () => this.#shut(place));
      else if (this.#isToBeMeasured(place)) this.#run(place, () => this.#measure(place));
    }
  }

  /** No leader gives a sign of life: what it said before may not be opened now. */
  isOverdue(group: string, cluster: ClusterName): boolean {
    const place = this.#places.get(placeKey({ group, cluster }));
    return place !== undefined && this.#isDue(place);
  }

  /** What the agent says of itself in a report. Nothing is promised before it is known what the fence takes. */
  report(): readonly SelfFenceUpdate[] {
    return [...this.#places.values()].map((place) => {
      const { entry, disarmingSinceMs } = place.life;
      const { group, cluster, epoch } = entry;
      const applyMs = this.#applyMs(place);
      const armed = disarmingSinceMs === null && applyMs !== null && this.#o.watched(group) !== null;
      return { group, cluster, epoch, armed, applyMs: applyMs ?? 0, selfFenced: place.closed && this.#isDue(place) };
    });
  }

  /** @returns false: the disk does not take it, which is said once; the next token tries again. */
  #save(lives: ReadonlyMap<string, Life>): boolean {
    try {
      this.#o.memory.save([...lives.values()].map((life) => life.entry));
      this.#diskTrouble = false;
      return true;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      if (!this.#diskTrouble) this.#o.logger.error({ error }, 'self-fence: not armed anew, it cannot be kept on disk');
      this.#diskTrouble = true;
      return false;
    }
  }

  /** Nothing is promised that a restart would forget. A sign of life is one all the same: it closes no cluster of a led agent. */
  #withoutNews(lives: ReadonlyMap<string, Life>): ReadonlyMap<string, Life> {
    const kept = new Map<string, Life>();
    for (const [key, life] of lives) {
      const known = this.#places.get(key);
      if (known !== undefined) kept.set(key, { ...life, entry: known.life.entry });
    }
    return kept;
  }

  #replaceAll(lives: ReadonlyMap<string, Life>): void {
    for (const key of this.#places.keys()) if (!lives.has(key)) this.#places.delete(key);
    for (const [key, life] of lives) {
      const known = this.#places.get(key);
      if (known === undefined) this.#places.set(key, newPlace(life));
      else known.life = life;
    }
  }

  #isDue(place: Place): boolean {
    return isOverdue(place.life, this.#o.clock());
  }

  #isToBeMeasured({ lookedAtMs }: Place): boolean {
    return lookedAtMs === null || this.#o.clock() - lookedAtMs >= MEASURE_EVERY_MS;
  }

  #applyMs({ life, lookMs, closingMs }: Place): Ms | null {
    if (lookMs === null) return null;
    return Math.ceil(Math.max(this.#o.applyFloorMs(life.entry.cluster), CLOSING_PER_LOOK * lookMs, closingMs));
  }

  #run(place: Place, work: () => Promise<void>): void {
    if (this.#closing || place.running !== null) return;
    place.running = work()
      .catch((error: unknown) => this.#tellTrouble(place, error instanceof Error ? error.message : String(error)))
      .finally(() => {
        place.running = null;
      });
  }

  async #shut(place: Place): Promise<void> {
    const { clock, hands, logger } = this.#o;
    const goal = this.#goal(place.life.entry);
    if (goal === null) throw new Error('the watch list does not hold the group: its topics are not known');
    const startedAtMs = clock();
    if (!place.closed && place.trouble === null) {
      const silentMs = Math.round(startedAtMs - place.life.freshAtMs);
      logger.error({ goal: goalKey(goal), silentMs }, 'no lease token of a leader: this agent closes its own cluster');
    }
    const status = await hands.apply(goal, AbortSignal.timeout(this.#o.effectTimeoutMs));
    if (status.reached && !place.closed) place.closingMs = Math.max(place.closingMs, clock() - startedAtMs);
    place.closed = status.reached;
    this.#tellTrouble(place, status.reached ? null : status.detail);
  }

  /** Once per trouble: it is tried again four times a second. */
  #tellTrouble(place: Place, trouble: string | null): void {
    if (trouble === place.trouble) return;
    place.trouble = trouble;
    const { group, cluster } = place.life.entry;
    if (trouble === null) this.#o.logger.warn({ group, cluster }, 'self-fence: the cluster is closed');
    else this.#o.logger.error({ group, cluster, trouble }, 'self-fence: not closed yet, tried again');
  }

  async #measure(place: Place): Promise<void> {
    const { clock, hands, effectTimeoutMs } = this.#o;
    const goal = this.#goal(place.life.entry);
    if (goal === null) return;
    const startedAtMs = clock();
    const status = await hands.observe(goal, AbortSignal.timeout(effectTimeoutMs));
    if (status.observed === 'unknown') return; // looked at again after the next answered round
    place.lookedAtMs = clock();
    place.lookMs = place.lookedAtMs - startedAtMs;
  }

  /** At the highest epoch that this agent knows for the cluster, so that only something newer counts as later. */
  #goal({ group, cluster, epoch, term }: ArmedEntry): ClusterGoal | null {
    const watched = this.#o.watched(group);
    if (watched === null) return null;
    const { goalEpochs, groupEpochs } = this.#o.floors();
    const topics = [...watched.topics, checkTopic(group)];
    const goal: ClusterGoal = { subject: 'cluster', group, cluster, state: 'fenced', epoch, term, topics };
    return { ...goal, epoch: Math.max(epoch, goalEpochs[goalKey(goal)] ?? 0, groupEpochs[group] ?? 0) };
  }
}

const placeKey = ({ group, cluster }: Readonly<{ group: string; cluster: ClusterName }>): string =>
  `${group}/${cluster}`;

const newPlace = (life: Life): Place => ({
  life,
  running: null,
  closed: false,
  lookMs: null,
  closingMs: 0,
  lookedAtMs: null,
  trouble: null,
});

import type { Goal, GoalStatus, WatchGroup } from '#failover';
import type { ClusterName, Ms } from '#health';
import type { Logger } from '#platform';
import type { AgentGoalSet, GoalAssignment } from '#rpc';
import type { Hands, MonotonicClock } from '../ports.js';
import type { AgentMemory } from './agent-memory.js';
import { DiskError } from './atomic-file.js';
import type { CommandRefusal } from './command-runner.js';
import { type Floors, goalsToKeep, judgeAlone, judgeGoalSet } from './goal-rules.js';
import { GoalSlot, notReadYet, subjectCluster } from './goal-slot.js';

export type GoalKeeperOptions = Readonly<{
  hands: Hands;
  memory: AgentMemory;
  clock: MonotonicClock;
  logger: Logger;
  /** A cluster counts as "just answered" for this long: p + t. */
  answeredForMs: Ms;
  /** How long a restarted agent waits for its goals before it acts alone. */
  aloneAfterMs: Ms;
  /** The longest that one effect may take; the hands have shorter deadlines of their own. */
  effectTimeoutMs: Ms;
  /** How long ago the leader was last heard; null: not since the start. */
  leaderAgeMs: () => Ms | null;
  /** After a leader's silence of this long the agent is alone. */
  leaseTtlMs: () => Ms;
  onStatus: (status: GoalStatus) => void;
  /** The cluster's self-fence is due: it is opened only after a leader's next sign of life. */
  isOverdue: (group: string, cluster: ClusterName) => boolean;
}>;

/** A bystander only looks, and less often: it reads the same configuration that the own agent reads each round. */
const BYSTANDER_EVERY_MS = 10_000;

/**
 * Keeps the leader's goals true. Goals are carried out only in the moment in which their cluster has just answered: a
 * request to a worker whose cluster is gone would be executed later, against a newer will (I38).
 */
export class GoalKeeper {
  readonly #options: GoalKeeperOptions;
  readonly #startedAtMs: Ms;
  readonly #slots = new Map<string, GoalSlot>();
  readonly #answeredAtMs = new Map<ClusterName, Ms>();
  readonly #effects = new Set<Promise<void>>();
  #setTaken = false;
  #untaken: AgentGoalSet | null = null; // the newest one, while the disk does not take it
  #closed = false;

  constructor(options: GoalKeeperOptions) {
    this.#options = options;
    const now = options.clock();
    this.#startedAtMs = now;
    for (const goal of options.memory.keptGoals) {
      const slot = new GoalSlot({ goal, role: 'own' }, now);
      this.#slots.set(slot.key, slot);
    }
  }

  get floors(): Floors {
    return this.#options.memory.floors;
  }

  held(): readonly GoalAssignment[] {
    return [...this.#slots.values()].map((slot) => slot.assignment);
  }

  statuses(): readonly GoalStatus[] {
    const now = this.#options.clock();
    return [...this.#slots.values()].map((slot) => slot.status(now));
  }

  /** A term heard in a welcome: nothing below it is obeyed any more, restarts included. */
  heardTerm(term: number): void {
    const { memory } = this.#options;
    if (term > memory.floors.highestTerm) memory.saveTerm(term);
  }

  /**
   * Replaces all goals; what is absent is dropped. Nothing is done before the new set is on disk; one that the disk does not
   * take is tried again in each round, for its leader sends it once.
   */
  take(set: AgentGoalSet): void {
    const { memory, logger, clock } = this.#options;
    const again = this.#untaken === set;
    this.#untaken = null;
    const verdict = judgeGoalSet(set, memory.floors);
    if (!verdict.taken) {
      logger.warn({ term: set.term, reason: verdict.reason }, 'goal set refused');
      return;
    }
    if (verdict.refused.length > 0) logger.warn({ term: set.term, refused: verdict.refused }, 'goals refused');
    try {
      memory.saveGoals(verdict.floors, goalsToKeep(verdict.goals));
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      if (!again) logger.error({ term: set.term, error }, 'goal set not taken: it cannot be kept on disk; tried again');
      this.#untaken = set;
      return;
    }
    this.#setTaken = true;
    this.#replaceAll(verdict.goals, clock());
  }

  /** Whether a command may run: null, or why not. Raises the floors when it may. */
  refuseCommand(term: number, epoch: number, group: string): CommandRefusal | null {
    const { memory, logger } = this.#options;
    const { floors } = memory;
    if (term < floors.highestTerm) return 'refused_term';
    const known = floors.groupEpochs[group] ?? 0;
    if (epoch < known) return 'refused_epoch';
    if (term > floors.highestTerm || epoch > known) {
      const groupEpochs = { ...floors.groupEpochs, [group]: epoch };
      try {
        memory.saveGoals({ ...floors, highestTerm: term, groupEpochs }, memory.keptGoals);
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        logger.error({ term, epoch, group, error }, 'command refused: its epoch cannot be kept on disk');
        return 'unavailable';
      }
    }
    return null;
  }

  /** Called after every probe round in which at least one broker of the cluster answered. */
  clusterAnswered(cluster: ClusterName): void {
    this.#takeAgain();
    this.#answeredAtMs.set(cluster, this.#options.clock());
    for (const slot of this.#slots.values()) {
      if (subjectCluster(slot.goal) === cluster) this.#kick(slot);
    }
  }

  /**
   * Called after every probe round in which no broker of the cluster answered. Nothing is asked of it then; but what needs no
   * broker may close it, or open what cut it off, on a leader's word.
   */
  clusterSilent(cluster: ClusterName): void {
    this.#takeAgain();
    const { hands, clock } = this.#options;
    const now = clock();
    if (this.#justAnswered(cluster, now)) return;
    for (const slot of this.#slots.values()) {
      const { goal, assignment } = slot;
      if (goal.subject !== 'cluster' || goal.cluster !== cluster || assignment.role !== 'own') continue;
      const { reached, kind } = slot.status(now);
      if (reached && kind !== 'hook') continue; // another kind holds: one that a silent cluster cannot lose
      if (!this.#isLed() || this.#staysClosed(goal)) continue;
      this.#start(slot, (signal) => hands.applySilent(goal, signal));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const slot of this.#slots.values()) slot.running?.abort(new Error('the agent is stopping'));
    await Promise.all(this.#effects);
  }

  /** Only while its leader is still heard: after a silence the next handshake brings a set anew. */
  #takeAgain(): void {
    const set = this.#untaken;
    if (set === null) return;
    if (this.#leaderIsHeard()) this.take(set);
    else this.#untaken = null;
  }

  #replaceAll(goals: readonly GoalAssignment[], now: Ms): void {
    const wanted = new Map(goals.map((assignment) => [new GoalSlot(assignment, now).key, assignment]));
    for (const [key, slot] of this.#slots) {
      if (wanted.has(key)) continue;
      slot.running?.abort(new Error('the goal was dropped'));
      this.#slots.delete(key);
    }
    for (const [key, assignment] of wanted) {
      const slot = this.#slots.get(key) ?? new GoalSlot(assignment, now);
      slot.replace(assignment, now);
      this.#slots.set(key, slot);
      this.#options.onStatus(slot.status(now));
      if (this.#justAnswered(subjectCluster(slot.goal), now)) this.#kick(slot);
    }
  }

  #justAnswered(cluster: ClusterName, now: Ms): boolean {
    const atMs = this.#answeredAtMs.get(cluster);
    return atMs !== undefined && now - atMs <= this.#options.answeredForMs;
  }

  #kick(slot: GoalSlot): void {
    if (this.#closed || slot.running !== null) return;
    const now = this.#options.clock();
    const { role } = slot.assignment;
    if (role === 'bystander') {
      if (slot.observedAtMs !== null && now - slot.observedAtMs < BYSTANDER_EVERY_MS) return;
      slot.observedAtMs = now;
    }
    this.#start(slot, (signal) => this.#effect(slot, signal));
  }

  #start(slot: GoalSlot, work: (signal: AbortSignal) => Promise<GoalStatus | null>): void {
    if (this.#closed || slot.running !== null) return;
    const running = new AbortController();
    slot.running = running;
    const { goal } = slot;
    const effect = work(AbortSignal.any([running.signal, AbortSignal.timeout(this.#options.effectTimeoutMs)]))
      .then(
        (status) => this.#read(slot, goal, running, status),
        (error: unknown) => this.#failed(slot, goal, running, error),
      )
      .finally(() => this.#effects.delete(effect));
    this.#effects.add(effect);
  }

  async #effect(slot: GoalSlot, signal: AbortSignal): Promise<GoalStatus> {
    const { hands } = this.#options;
    const { goal, role } = slot.assignment;
    if (role === 'bystander') return hands.observe(goal, signal);
    if (this.#staysClosed(goal)) return { ...(await hands.observe(goal, signal)), detail: 'self-fenced: not opened' };
    if (this.#isLed()) return hands.apply(goal, signal);
    if (role === 'stand_in') return hands.observe(goal, signal);
    return this.#alone(goal, signal);
  }

  /** Goals whose successors the disk does not take are no longer the leader's will. */
  #isLed(): boolean {
    return this.#setTaken && this.#untaken === null && this.#leaderIsHeard();
  }

  #leaderIsHeard(): boolean {
    const leaderAgeMs = this.#options.leaderAgeMs();
    return leaderAgeMs !== null && leaderAgeMs <= this.#options.leaseTtlMs();
  }

  #staysClosed(goal: Goal): boolean {
    return goal.subject === 'cluster' && goal.state === 'open' && this.#options.isOverdue(goal.group, goal.cluster);
  }

  async #alone(goal: Goal, signal: AbortSignal): Promise<GoalStatus> {
    const { hands, clock, aloneAfterMs, memory } = this.#options;
    if (clock() - this.#startedAtMs < aloneAfterMs) return notReadYet(goal, 'waiting for a leader');
    const recorded = await hands.newestEpoch(subjectCluster(goal), goal.group, signal);
    const watch: WatchGroup | null = memory.watch.groups.find((g) => g.name === goal.group) ?? null;
    const verdict = judgeAlone(goal, recorded, watch);
    if (verdict.apply) return hands.apply(goal, signal);
    const seen = await hands.observe(goal, signal);
    return { ...seen, detail: `alone, not applied: ${verdict.reason}; ${seen.detail}` };
  }

  #read(slot: GoalSlot, goal: Goal, running: AbortController, status: GoalStatus | null): void {
    if (slot.running !== running) return; // replaced meanwhile: this says nothing of the new goal
    slot.running = null;
    if (status === null) return;
    const now = this.#options.clock();
    if (!slot.read(status, now)) return;
    this.#options.logger.info(
      { goal: slot.key, wanted: goal.state, observed: status.observed, detail: status.detail },
      'goal',
    );
    this.#options.onStatus(slot.status(now));
  }

  /** Not knowing is a finding: the status becomes unknown and the next answered round tries again. */
  #failed(slot: GoalSlot, goal: Goal, running: AbortController, error: unknown): void {
    if (slot.running !== running) return;
    const message = error instanceof Error ? error.message : String(error);
    this.#options.logger.warn(
      { goal: slot.key, error },
      'goal could not be carried out or read; the next round tries again',
    );
    this.#read(slot, goal, running, notReadYet(goal, message));
  }
}

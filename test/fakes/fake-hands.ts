import {
  goalKey,
  type ClusterGoal,
  type Command,
  type CommandResult,
  type Goal,
  type GoalStatus,
  type PreviousValues,
} from '#failover';
import type { Hands, RecordedEpoch } from '../../apps/agent/src/ports.js';

/** Hands that carry everything out in memory at once, and remember in which order. */
export class FakeHands implements Hands {
  readonly applied: Goal[] = [];
  readonly observed: Goal[] = [];
  /** Goals tried while their cluster did not answer. */
  readonly silent: ClusterGoal[] = [];
  /** Whether there is anything to be tried then. */
  hook = false;
  readonly ran: Command[] = [];
  /** Newest recorded epoch, per cluster and group: `cluster/group`. */
  readonly epochs = new Map<string, RecordedEpoch>();
  /** Null: commands are answered at once; else they hang until their signal is aborted. */
  hang = false;
  aborted = 0;
  closed = false;
  /** False: no subject can be reached. */
  reachable = true;
  /** What its disk holds of topics that it closed by configuration. */
  remembers: PreviousValues = {};

  /** `world`: what is done to it by one agent is seen by all that share it. */
  constructor(readonly world = new Map<string, GoalStatus['observed']>()) {}

  setWatch(): void {
    // what others do to the cluster is no matter of this fake
  }

  apply(goal: Goal): Promise<GoalStatus> {
    this.applied.push(goal);
    if (this.reachable) this.world.set(goalKey(goal), goal.state);
    return Promise.resolve(this.#status(goal));
  }

  applySilent(goal: ClusterGoal): Promise<GoalStatus | null> {
    this.silent.push(goal);
    if (!this.hook) return Promise.resolve(null);
    this.world.set(goalKey(goal), goal.state);
    return Promise.resolve({ ...this.#status(goal), kind: 'hook' as const });
  }

  observe(goal: Goal): Promise<GoalStatus> {
    this.observed.push(goal);
    return Promise.resolve(this.#status(goal));
  }

  run(command: Command, signal: AbortSignal): Promise<CommandResult> {
    this.ran.push(command);
    if (this.hang) {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          this.aborted += 1;
          reject(new Error('aborted'));
        });
      });
    }
    const output = { kind: 'canary', accepted: true, errorCode: null, detail: command.id } as const;
    return Promise.resolve({ id: command.id, ok: true, output });
  }

  newestEpoch(cluster: string, group: string): Promise<RecordedEpoch | null> {
    return Promise.resolve(this.epochs.get(`${cluster}/${group}`) ?? null);
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  #status(goal: Goal): GoalStatus {
    const untouched = goal.subject === 'cluster' ? 'open' : 'unknown';
    const observed = this.reachable ? (this.world.get(goalKey(goal)) ?? untouched) : 'unknown';
    return {
      key: goalKey(goal),
      wanted: goal.state,
      observed,
      reached: observed === goal.state,
      epoch: goal.epoch,
      term: goal.term,
      ageMs: 0,
      detail: '',
      previous: goal.subject === 'cluster' ? this.remembers : {},
    };
  }
}

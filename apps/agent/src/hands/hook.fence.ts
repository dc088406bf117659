import type { ClusterGoal, FenceOffer, WatchGroup } from '#failover';
import { monotonicMs } from '#kafka';
import type { FenceHook } from '../config/agent-config.js';
import type { Fence, FenceReading } from './fence.js';
import { HookError, runHook } from './hook-command.js';
import type { HookJournal } from './hook-journal.js';

const STATE_OF_EXIT = new Map<number | null, FenceReading['state']>([
  [0, 'fenced'],
  [1, 'open'],
]);

/**
 * Fence 3: the operator's own command (a firewall, a listener, power). Only its check command says what is so; what the
 * other two answer is for people.
 */
export class HookFence implements Fence {
  readonly kind = 'hook';
  readonly #hook: FenceHook | null;
  readonly #journal: HookJournal;
  readonly #watched: () => readonly WatchGroup[];

  constructor(hook: FenceHook | null, journal: HookJournal, watched: () => readonly WatchGroup[]) {
    this.#hook = hook;
    this.#journal = journal;
    this.#watched = watched;
  }

  offer(goal: ClusterGoal): Promise<FenceOffer> {
    return Promise.resolve(hookOffer(this.#hook, goal, this.#watched()));
  }

  async place(goal: ClusterGoal, signal: AbortSignal): Promise<FenceReading> {
    const before = await this.#check(goal, signal);
    if (this.#hook === null) return before;
    const groups = await this.#journal.groups(goal.cluster);
    if (before.state === 'fenced') {
      // Closed by us for another group: from now on for this one too. Closed by nobody of ours: never opened by us.
      if (!this.#hook.perGroup && groups.length > 0) await this.#journal.add(goal.cluster, goal.group);
      return before;
    }
    await this.#journal.add(goal.cluster, goal.group);
    const ran = await this.#run(this.#hook, this.#hook.fence, goal, signal);
    return this.#after(goal, groups.includes(goal.group) ? ['the fence had been removed', ran] : [ran], signal);
  }

  async lift(goal: ClusterGoal, signal: AbortSignal): Promise<FenceReading> {
    const groups = await this.#journal.groups(goal.cluster);
    if (this.#hook === null || groups.length === 0) return reading('open', 'the hook was not used');
    const others = this.#hook.perGroup ? [] : groups.filter((g) => g !== goal.group);
    if (others.length > 0) {
      await this.#journal.remove(goal.cluster, goal.group);
      return reading('foreign', `the hook keeps the cluster closed for ${others.join(', ')}`);
    }
    if (!groups.includes(goal.group)) return reading('open', 'the hook was not used for this group');
    const ran = await this.#run(this.#hook, this.#hook.open, goal, signal);
    const seen = await this.#after(goal, [ran], signal);
    return seen.state === 'open' ? this.#forget(goal, seen) : seen;
  }

  /** A closure that this agent did not make is somebody else's. */
  read(goal: ClusterGoal): Promise<FenceReading> {
    return this.#check(goal);
  }

  /** It is open whether or not the disk takes it in: the record stays, and goes in a later round. */
  async #forget(goal: ClusterGoal, seen: FenceReading): Promise<FenceReading> {
    try {
      await this.#journal.remove(goal.cluster, goal.group);
      return seen;
    } catch (error) {
      if (!(error instanceof HookError)) throw error;
      return { ...seen, detail: `${seen.detail}; ${error.message}` };
    }
  }

  async #check(goal: ClusterGoal, signal?: AbortSignal): Promise<FenceReading> {
    if (this.#hook === null) return reading('open', 'no hook');
    const ran = await runHook(this.#hook.check, this.#environment(goal), this.#hook.timeoutMs, signal);
    signal?.throwIfAborted();
    return reading(
      STATE_OF_EXIT.get(ran.exitCode) ?? 'unknown',
      `check ended with ${ran.exitCode ?? 'a signal'} ${ran.said}`.trim(),
    );
  }

  async #after(goal: ClusterGoal, remarks: readonly string[], signal: AbortSignal): Promise<FenceReading> {
    const seen = await this.#check(goal, signal);
    return { ...seen, detail: [seen.detail, ...remarks].join('; ') };
  }

  async #run(hook: FenceHook, argv: readonly string[], goal: ClusterGoal, signal: AbortSignal): Promise<string> {
    const { exitCode, said } = await runHook(argv, this.#environment(goal), hook.timeoutMs, signal);
    signal.throwIfAborted();
    return `${argv[0] ?? ''} ended with ${exitCode ?? 'a signal'} ${said}`.trim();
  }

  #environment(goal: ClusterGoal): Readonly<Record<string, string>> {
    return {
      POINTSMAN_GROUP: goal.group,
      POINTSMAN_CLUSTER: goal.cluster,
      POINTSMAN_EPOCH: String(goal.epoch),
      POINTSMAN_TOPICS: goal.topics.join(','),
    };
  }
}

const reading = (state: FenceReading['state'], detail: string): FenceReading => ({
  state,
  readAtMs: monotonicMs(),
  detail,
  previous: {},
});

/** A hook that closes the whole cluster would also close it to a group that is served there. */
export function hookOffer(
  hook: FenceHook | null,
  goal: Pick<ClusterGoal, 'group' | 'cluster'>,
  groups: readonly Pick<WatchGroup, 'name' | 'active' | 'clusters'>[],
): FenceOffer {
  if (hook === null) return { kind: 'hook', usable: false, reason: "none in the agent's file" };
  if (hook.perGroup) return { kind: 'hook', usable: true, reason: 'closes one group' };
  const others = groups.filter((g) => g.name !== goal.group && g.clusters.includes(goal.cluster));
  const served = others.filter((g) => g.active === goal.cluster || g.active === null).map((g) => g.name);
  if (served.length === 0)
    return { kind: 'hook', usable: true, reason: 'closes the whole cluster; no other group is active there' };
  return {
    kind: 'hook',
    usable: false,
    reason: `it closes the whole cluster, where ${served.join(', ')} may be active`,
  };
}

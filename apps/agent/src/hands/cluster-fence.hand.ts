import {
  goalKey,
  isAllowed,
  kindsToTry,
  type ClusterGoal,
  type FenceKind,
  type FenceOffer,
  type GoalStatus,
  type PreviousValues,
} from '#failover';
import type { Ms } from '#health';
import { KafkaCallError, monotonicMs } from '#kafka';
import type { Fence, FenceReading } from './fence.js';
import { FenceJournalError } from './fence-journal.js';
import { HookError } from './hook-command.js';

/** `answered` false: it could not be asked, so that nothing is known of this kind. */
type Found = Readonly<{ kind: FenceKind; reading: FenceReading; answered: boolean }>;

/**
 * Keeps one cluster closed to applications, or open: by the strongest kind of fence that the goal allows and the cluster
 * offers. Another kind of ours is lifted only after the right one was read back, so that an exchange leaves no gap.
 */
export class ClusterFenceHand {
  readonly #fences: readonly Fence[]; // strongest first

  constructor(fences: readonly Fence[]) {
    this.#fences = fences;
  }

  apply(goal: ClusterGoal, signal: AbortSignal): Promise<GoalStatus> {
    return goal.state === 'fenced' ? this.#close(goal, signal) : this.#open(goal, signal);
  }

  async observe(goal: ClusterGoal): Promise<GoalStatus> {
    return statusOf(goal, await this.#each((fence) => fence.read(goal)), []);
  }

  /**
   * While no broker answers: by the hook alone. A request to a broker that hangs may be carried out later, against a newer
   * will. It opens too: a hook may have cut off the brokers from this agent, and then none ever answers. Null: there is
   * nothing for a hook to do.
   */
  async applySilent(goal: ClusterGoal, signal: AbortSignal): Promise<GoalStatus | null> {
    const hook = this.#fences.find((fence) => fence.kind === 'hook');
    if (hook === undefined) return null;
    const rest = this.#fences.filter((f) => f !== hook).map((f) => notAsked(f.kind, 'the cluster does not answer'));
    if (goal.state === 'open') return statusOf(goal, [...rest, await foundOf(hook, liftOf(goal, signal), null)], []);
    if (kindsToTry(goal, [await offerOf(hook, goal)]).length === 0) return null;
    const remarks: string[] = [];
    const placed = await this.#place(hook.kind, goal, signal, remarks);
    const found: readonly Found[] = placed === null ? [] : [{ kind: hook.kind, reading: placed, answered: true }];
    return statusOf(goal, [...rest, ...found], remarks);
  }

  async #close(goal: ClusterGoal, signal: AbortSignal): Promise<GoalStatus> {
    const offers = await Promise.all(this.#fences.map((fence) => offerOf(fence, goal)));
    const kinds = kindsToTry(goal, offers);
    const remarks: string[] = kinds.length === 0 ? refusals(goal, offers) : [];
    for (const kind of kinds) {
      const placed = await this.#place(kind, goal, signal, remarks);
      if (placed === null) continue;
      // The cluster is closed, whatever becomes of these: a hook may have cut off the brokers from this agent too.
      const others = await this.#each(liftOf(goal, signal), (fence) => fence.kind !== kind, signal);
      return statusOf(goal, [{ kind, reading: placed, answered: true }, ...others], remarks);
    }
    // Topics that are closed while the check topic could not be made are no fence that anybody could prove.
    const seen = statusOf(goal, await this.#each((fence) => fence.read(goal)), remarks);
    return { ...seen, reached: false };
  }

  /** Null: this kind did not close the cluster; the next one is tried, and this one again in the next round. */
  async #place(
    kind: FenceKind,
    goal: ClusterGoal,
    signal: AbortSignal,
    remarks: string[],
  ): Promise<FenceReading | null> {
    const fence = this.#fences.find((f) => f.kind === kind);
    if (fence === undefined) return null;
    try {
      const placed = await fence.place(goal, signal);
      if (placed.state === 'fenced') return placed;
      remarks.push(`${kind}: ${placed.detail}`);
    } catch (error) {
      signal.throwIfAborted();
      remarks.push(`${kind}: ${textOf(error)}`);
    }
    return null;
  }

  async #open(goal: ClusterGoal, signal: AbortSignal): Promise<GoalStatus> {
    return statusOf(goal, await this.#each(liftOf(goal, signal)), []);
  }

  /**
   * One after the other, the weakest first: it is the one that also stops MirrorMaker. What one kind cannot do now keeps no
   * other from being done. `signal`: after it, what is left counts as not asked.
   */
  async #each(
    ask: (fence: Fence) => Promise<FenceReading>,
    which: (fence: Fence) => boolean = () => true,
    signal: AbortSignal | null = null,
  ): Promise<readonly Found[]> {
    const found: Found[] = [];
    for (const fence of this.#fences.toReversed()) {
      if (which(fence)) found.unshift(await foundOf(fence, ask, signal));
    }
    return found;
  }
}

const liftOf =
  (goal: ClusterGoal, signal: AbortSignal) =>
  (fence: Fence): Promise<FenceReading> => {
    signal.throwIfAborted(); // the goal was replaced: its opposite waits for us to let go
    return fence.lift(goal, signal);
  };

/** What cannot be asked now cannot be used now: a hook may work where Kafka does not answer. */
async function offerOf(fence: Fence, goal: ClusterGoal): Promise<FenceOffer> {
  try {
    return await fence.offer(goal);
  } catch (error) {
    return { kind: fence.kind, usable: false, reason: textOf(error) };
  }
}

async function foundOf(
  fence: Fence,
  ask: (fence: Fence) => Promise<FenceReading>,
  signal: AbortSignal | null,
): Promise<Found> {
  try {
    return { kind: fence.kind, reading: await ask(fence), answered: true };
  } catch (error) {
    return notAsked(fence.kind, signal?.aborted === true ? String(signal.reason) : textOf(error));
  }
}

const notAsked = (kind: FenceKind, detail: string): Found => ({
  kind,
  reading: { state: 'unknown', readAtMs: monotonicMs(), detail, previous: {} },
  answered: false,
});

/** An error that is neither the cluster's nor the hook's nor the agent's own disk's is a defect. */
function textOf(error: unknown): string {
  if (error instanceof KafkaCallError || error instanceof HookError || error instanceof FenceJournalError)
    return error.message;
  throw error;
}

const refusals = (goal: ClusterGoal, offers: readonly FenceOffer[]): string[] =>
  offers.filter((o) => isAllowed(goal, o.kind)).map((o) => `${o.kind} cannot be used: ${o.reason}`);

/**
 * All kinds together: fenced as soon as one of them holds, open only if none does. Reached when it is as the goal says
 * and no kind holds, or may hold because it could not be asked, that the goal does not allow.
 */
function statusOf(goal: ClusterGoal, found: readonly Found[], remarks: readonly string[]): GoalStatus {
  const holding = found.filter(({ reading }) => reading.state === 'fenced' || reading.state === 'partial');
  const observed = overall(found.map((f) => f.reading.state));
  const kind = holding.find(({ reading }) => reading.state === 'fenced')?.kind ?? holding[0]?.kind;
  const allowed = found.every((f) => isAllowed(goal, f.kind) || (f.answered && !holding.includes(f)));
  const deniedGroups = found.flatMap((f) => f.reading.deniedGroups ?? []);
  const oldest = Math.min(monotonicMs(), ...found.map((f) => f.reading.readAtMs));
  const ageMs: Ms = monotonicMs() - oldest;
  return {
    key: goalKey(goal),
    wanted: goal.state,
    observed,
    reached: observed === goal.state && (goal.state === 'open' || allowed),
    epoch: goal.epoch,
    term: goal.term,
    ageMs,
    detail: [...found.filter(isTelling).map((f) => `${f.kind}: ${f.reading.detail}`), ...remarks].join('; '),
    previous: Object.assign({}, ...found.map((f) => f.reading.previous)) as PreviousValues,
    ...(kind === undefined ? {} : { kind }),
    ...(deniedGroups.length === 0 ? {} : { deniedGroups }),
  };
}

/** What has nothing to say of a kind that is not there only fills the page. */
const isTelling = ({ kind, reading }: Found): boolean => reading.state !== 'open' || kind === 'topic-config';

function overall(states: readonly FenceReading['state'][]): GoalStatus['observed'] {
  if (states.includes('fenced')) return 'fenced';
  if (states.includes('partial')) return 'partial';
  if (states.includes('unknown')) return 'unknown';
  return states.includes('foreign') ? 'foreign' : 'open';
}

/** A goal whose subject could not be reached: said as unknown, never as "not so". */
export function unreached(
  goal: GoalStatus['wanted'],
  key: string,
  epoch: number,
  term: number,
  error: unknown,
): GoalStatus {
  const detail = error instanceof Error ? error.message : String(error);
  return { key, wanted: goal, observed: 'unknown', reached: false, epoch, term, ageMs: 0, detail, previous: {} };
}

import {
  goalKey,
  isAllowed,
  kindsToTry,
  type ClusterGoal,
  type FenceKind,
  type FenceOffer,
  type GoalStatus,
} from '#failover';
import type { Ms } from '#health';
import { KafkaCallError, monotonicMs } from '#kafka';
import type { Fence, FenceReading } from './fence.js';
import { HookError } from './hook-command.js';

type Found = Readonly<{ kind: FenceKind; reading: FenceReading }>;

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
    const found = await this.#each((fence) => fence.read(goal));
    return statusOf(goal, found, []);
  }

  async #close(goal: ClusterGoal, signal: AbortSignal): Promise<GoalStatus> {
    const offers = await Promise.all(this.#fences.map((fence) => offerOf(fence, goal)));
    const kinds = kindsToTry(goal, offers);
    const remarks: string[] = kinds.length === 0 ? refusals(goal, offers) : [];
    for (const kind of kinds) {
      const placed = await this.#place(kind, goal, signal, remarks);
      if (placed === null) continue;
      const others = await this.#each(
        (fence) => fence.lift(goal, signal),
        (fence) => fence.kind !== kind,
      );
      return statusOf(goal, [{ kind, reading: placed }, ...others], remarks);
    }
    // Topics that are closed while the check topic could not be made are no fence that anybody could prove.
    const seen = statusOf(goal, await this.#each((fence) => readOrUnknown(fence, goal)), remarks);
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
      if (!(error instanceof KafkaCallError || error instanceof HookError)) throw error;
      remarks.push(`${kind}: ${error.message}`);
    }
    return null;
  }

  async #open(goal: ClusterGoal, signal: AbortSignal): Promise<GoalStatus> {
    return statusOf(goal, await this.#each((fence) => fence.lift(goal, signal)), []);
  }

  /** One after the other, the weakest first: it is the one that also stops MirrorMaker. */
  async #each(
    ask: (fence: Fence) => Promise<FenceReading>,
    which: (fence: Fence) => boolean = () => true,
  ): Promise<readonly Found[]> {
    const found: Found[] = [];
    for (const fence of this.#fences.toReversed()) {
      if (which(fence)) found.unshift({ kind: fence.kind, reading: await ask(fence) });
    }
    return found;
  }
}

/** What cannot be asked now cannot be used now: a hook may work where Kafka does not answer. */
async function offerOf(fence: Fence, goal: ClusterGoal): Promise<FenceOffer> {
  try {
    return await fence.offer(goal);
  } catch (error) {
    return { kind: fence.kind, usable: false, reason: textOf(error) };
  }
}

async function readOrUnknown(fence: Fence, goal: ClusterGoal): Promise<FenceReading> {
  try {
    return await fence.read(goal);
  } catch (error) {
    return { state: 'unknown', readAtMs: monotonicMs(), detail: textOf(error), previous: {} };
  }
}

/** An error that is neither the cluster's nor the hook's is a defect. */
function textOf(error: unknown): string {
  if (error instanceof KafkaCallError || error instanceof HookError) return error.message;
  throw error;
}

const refusals = (goal: ClusterGoal, offers: readonly FenceOffer[]): string[] =>
  offers.filter((o) => isAllowed(goal, o.kind)).map((o) => `${o.kind} cannot be used: ${o.reason}`);

/**
 * All kinds together: fenced as soon as one of them holds, open only if none does. Reached when it is as the goal says
 * and no kind holds that the goal does not allow.
 */
function statusOf(goal: ClusterGoal, found: readonly Found[], remarks: readonly string[]): GoalStatus {
  const holding = found.filter(({ reading }) => reading.state === 'fenced' || reading.state === 'partial');
  const observed = overall(found.map((f) => f.reading.state));
  const kind = holding.find(({ reading }) => reading.state === 'fenced')?.kind ?? holding[0]?.kind;
  const allowed = holding.every((f) => isAllowed(goal, f.kind));
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
    previous: Object.assign({}, ...found.map((f) => f.reading.previous)) as GoalStatus['previous'],
    ...(kind === undefined ? {} : { kind }),
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

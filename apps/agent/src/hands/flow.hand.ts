import type { Ms } from '#health';
import { connectorFailureText, goalKey, type FlowGoal, type GoalStatus } from '#failover';
import { ConnectError, monotonicMs, pause, type ClusterHands, type ConnectClient, type ConnectorStatus } from '#kafka';
import { failuresOf } from '../probes/connectors.js';
import { hasFailed, TaskRestarts } from './task-restarts.js';

const DEFAULT_CALL_MS = 3_000;
const POLL_MS = 150;
const LONGEST_WAIT_MS = 60_000;
const ASK_AGAIN_MS = 2_000;
/** After a change without an answer the state must hold this long, with the worker's own cluster answering, to be believed. */
const SETTLE_MS = 1_500;
/** Two refusals this far apart, and nothing else between them, attest that the worker's process is gone. */
const ATTEST_MS = 2_000;
/** Refusals further apart than this say nothing of the time between them. */
const REFUSAL_GAP_MS = 10_000;

type Wish = 'running' | 'stopped';
type Names = readonly [source: string, checkpoint: string];
type Look = Readonly<{
  source: ConnectorStatus | null;
  checkpoint: ConnectorStatus | null;
  observed: GoalStatus['observed'];
}>;

/**
 * A flow's source and checkpoint connectors on their target's Connect worker. Heartbeat connectors are never touched.
 *
 * A request to a worker whose own Kafka is dead is executed when that Kafka returns, and an unseeded flow under
 * IdentityReplicationPolicy is an endless loop. So before each change the worker's own cluster must have just answered,
 * and the worker must have read its stored offsets, which it cannot do without that cluster. The same holds for the
 * restart of failed tasks, which Connect leaves lying for ever: a flow that should run gets it, within bounds.
 */
export class FlowHand {
  readonly #connect: ConnectClient;
  readonly #ownCluster: Pick<ClusterHands, 'layout'>;
  readonly #callMs: Ms;
  readonly #unsettled = new Set<string>();
  readonly #restarts = new TaskRestarts();
  #refusal: Readonly<{ firstMs: Ms; lastMs: Ms }> | null = null; // of the worker, unbroken

  constructor(
    connect: ConnectClient,
    ownCluster: Pick<ClusterHands, 'layout'>,
    { callMs = DEFAULT_CALL_MS }: Readonly<{ callMs?: Ms }> = {},
  ) {
    this.#connect = connect;
    this.#ownCluster = ownCluster;
    this.#callMs = callMs;
  }

  /**
   * A worker that refuses is said as `refused`, once {@link ATTEST_MS} proved it: nothing of the flow runs there, and each
   * later call finds the worker that came back. `connectUrl` must then stand for the whole of the flow's Connect group.
   */
  async apply(goal: FlowGoal, signal: AbortSignal): Promise<GoalStatus> {
    for (;;) {
      try {
        const status = await this.#reach(goal, signal);
        this.#refusal = null;
        return status;
      } catch (error) {
        if (!this.#isAttested(error)) {
          if (this.#refusal === null || signal.aborted) throw error;
          await pause(POLL_MS, signal);
          continue;
        }
        return refusedStatus(goal);
      }
    }
  }

  /** Notes a refusal; whatever else went wrong (silence, the cluster's own fault) breaks the row of refusals. */
  #isAttested(error: unknown): boolean {
    if (!(error instanceof ConnectError) || error.kind !== 'refused') {
      this.#refusal = null;
      return false;
    }
    const nowMs = monotonicMs();
    const unbroken = this.#refusal !== null && nowMs - this.#refusal.lastMs <= REFUSAL_GAP_MS;
    const firstMs = unbroken && this.#refusal !== null ? this.#refusal.firstMs : nowMs;
    this.#refusal = { firstMs, lastMs: nowMs };
    return nowMs - firstMs >= ATTEST_MS;
  }

  async #reach(goal: FlowGoal, signal: AbortSignal): Promise<GoalStatus> {
    const endsAtMs = monotonicMs() + LONGEST_WAIT_MS;
    for (;;) {
      const remarks = await this.#wish(goal, signal);
      // A worker that refused (it rebalances, it is starting) is asked again; one that took the wish is waited for.
      const untilMs = remarks.length > 0 ? Math.min(endsAtMs, monotonicMs() + ASK_AGAIN_MS) : endsAtMs;
      const status = await this.#readBack(goal, remarks, signal, untilMs);
      if (status.reached || signal.aborted || monotonicMs() >= endsAtMs) return status;
    }
  }

  /** Sends what differs from the goal. @returns what was refused, for people. */
  async #wish(goal: FlowGoal, signal: AbortSignal): Promise<readonly string[]> {
    const look = await this.#look(goal);
    if (look.observed === goal.state && !this.#isUnsettled(goal)) return [];
    await this.#proveCluster(goal);
    const { source, checkpoint } = goal.connectors;
    // Stop the copying first; start it last, when the translator is ready for it.
    const order = goal.state === 'stopped' ? [source, checkpoint] : [checkpoint, source];
    const remarks: string[] = [];
    for (const name of order) {
      signal.throwIfAborted(); // the goal was replaced: its opposite waits for us to let go
      const remark = await this.#change(name, name === source ? look.source : look.checkpoint, goal.state);
      if (remark !== null) remarks.push(remark);
    }
    return remarks;
  }

  async observe(goal: FlowGoal): Promise<GoalStatus> {
    return this.#status(goal, await this.#look(goal), []);
  }

  /** Both answers within one call's deadline, now: not remembered from a probe. */
  async #proveCluster(goal: FlowGoal): Promise<void> {
    await Promise.all([
      this.#ownCluster.layout(this.#callMs),
      this.#connect.offsets(goal.connectors.source, this.#callMs),
    ]);
  }

  async #change(name: string, status: ConnectorStatus | null, to: Wish): Promise<string | null> {
    if (status === null) return `${name} does not exist`;
    if (to === 'running' && hasFailed(status)) return this.#restart(status);
    if (to === 'stopped' ? isStopped(status) : status.state === 'RUNNING') {
      if (!this.#unsettled.has(name)) return null;
    }
    return this.#send(name, () => this.#connect.change(name, to === 'stopped' ? 'stop' : 'resume', this.#callMs));
  }

  /** @returns always a remark: what failed, and whether it was restarted. */
  async #restart(status: ConnectorStatus): Promise<string> {
    const { name } = status;
    const held = this.#restarts.take(name, monotonicMs());
    const outcome = held ?? (await this.#send(name, () => this.#connect.restartFailed(name, this.#callMs)));
    const failed = failuresOf(status).map(connectorFailureText).join(', ');
    return `${failed} (${outcome ?? 'restarted'})`;
  }

  /** @returns why the worker refused, null when it took the wish. */
  async #send(name: string, ask: () => Promise<void>): Promise<string | null> {
    try {
      await ask();
      return null;
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      if (error.stateUnknown) this.#unsettled.add(name);
      return error.message;
    }
  }

  async #readBack(goal: FlowGoal, remarks: readonly string[], signal: AbortSignal, untilMs: Ms): Promise<GoalStatus> {
    let heldSinceMs: Ms | null = null;
    for (;;) {
      const look = await this.#look(goal);
      const nowMs = monotonicMs();
      const over = signal.aborted || nowMs >= untilMs;
      heldSinceMs = look.observed === goal.state ? (heldSinceMs ?? nowMs) : null;
      if (heldSinceMs !== null && (await this.#settled(goal, nowMs - heldSinceMs)))
        return this.#status(goal, look, remarks);
      if (over) return this.#status(goal, look, remarks);
      await pause(POLL_MS, signal);
    }
  }

  async #settled(goal: FlowGoal, heldForMs: Ms): Promise<boolean> {
    if (!this.#isUnsettled(goal)) return true;
    if (heldForMs < SETTLE_MS) return false;
    await this.#proveCluster(goal);
    this.#unsettled.delete(goal.connectors.source);
    this.#unsettled.delete(goal.connectors.checkpoint);
    return true;
  }

  #isUnsettled({ connectors }: FlowGoal): boolean {
    return this.#unsettled.has(connectors.source) || this.#unsettled.has(connectors.checkpoint);
  }

  async #look(goal: FlowGoal): Promise<Look> {
    const names = [goal.connectors.source, goal.connectors.checkpoint] as const;
    let [source, checkpoint] = await this.#statuses(names);
    if (source === null || checkpoint === null) [source, checkpoint] = await this.#lookAgain(names);
    const stopped = [source, checkpoint].every((s) => s === null || isStopped(s));
    const running = [source, checkpoint].every((s) => s !== null && isRunning(s));
    return { source, checkpoint, observed: stopped ? 'stopped' : running ? 'running' : 'partial' };
  }

  #statuses([source, checkpoint]: Names): Promise<[ConnectorStatus | null, ConnectorStatus | null]> {
    return Promise.all([this.#connect.status(source, this.#callMs), this.#connect.status(checkpoint, this.#callMs)]);
  }

  /**
   * A worker that has just started answers 404 for connectors that others of its group run: it has not read their statuses
   * yet. Absence is believed where the worker's own cluster answers, its herder knows no such connector (which it says only
   * once it has read what is configured), and there is no status then either.
   */
  async #lookAgain(names: Names): Promise<[ConnectorStatus | null, ConnectorStatus | null]> {
    const [source, checkpoint] = await Promise.all([
      this.#connect.config(names[0], this.#callMs),
      this.#connect.config(names[1], this.#callMs),
      this.#ownCluster.layout(this.#callMs),
    ]);
    const [ofSource, ofCheckpoint] = await this.#statuses(names);
    return [
      ofSource ?? (source === null ? null : withoutStatus(names[0])),
      ofCheckpoint ?? (checkpoint === null ? null : withoutStatus(names[1])),
    ];
  }

  #status(goal: FlowGoal, look: Look, remarks: readonly string[]): GoalStatus {
    const observed = this.#isUnsettled(goal) ? 'unknown' : look.observed;
    const say = (name: string, s: ConnectorStatus | null): string =>
      s === null ? `${name} absent` : `${name} ${s.state} [${s.tasks.map((t) => t.state).join(',')}]`;
    const { source, checkpoint } = goal.connectors;
    const failing = [look.source, look.checkpoint].flatMap(failuresOf).map(connectorFailureText);
    const untold = failing.filter((text) => !remarks.some((remark) => remark.includes(text)));
    return {
      key: goalKey(goal),
      wanted: goal.state,
      observed,
      reached: observed === goal.state,
      epoch: goal.epoch,
      term: goal.term,
      ageMs: 0,
      detail: [say(source, look.source), say(checkpoint, look.checkpoint), ...untold, ...remarks].join('; '),
      previous: {},
    };
  }
}

const refusedStatus = (goal: FlowGoal): GoalStatus => ({
  key: goalKey(goal),
  wanted: goal.state,
  observed: 'refused',
  reached: false,
  epoch: goal.epoch,
  term: goal.term,
  ageMs: 0,
  detail: 'its Connect worker refuses every connection: attested down',
  previous: {},
});

/** It is configured, and nobody has said yet how it is: it may copy. */
const withoutStatus = (name: string): ConnectorStatus => ({
  name,
  state: 'UNKNOWN',
  worker: '',
  trace: null,
  tasks: [],
});

/** 204 is no end: until the last task is gone it may still copy. */
const isStopped = (s: ConnectorStatus): boolean => s.state === 'STOPPED' && s.tasks.length === 0;
const isRunning = (s: ConnectorStatus): boolean => s.state === 'RUNNING' && s.tasks.every((t) => t.state === 'RUNNING');

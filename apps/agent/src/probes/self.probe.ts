import { connect } from 'node:net';
import type { IdcName, Ms, SelfHealth } from '#health';
import { parseAddress } from '#kafka';
import type { ReferenceTarget } from '../config/agent-config.js';
import type { MonotonicClock, SelfMonitor } from '../ports.js';

export type SelfMonitorOptions = Readonly<{
  idc: IdcName;
  periodMs: Ms;
  timeoutMs: Ms;
  referenceTargets: readonly ReferenceTarget[];
  clock: MonotonicClock;
  wallClock?: () => Ms;
}>;

const LOOP_TICK_MS = 50;
const CLOCK_STEP_MS = 500;
/** A doubt about this process lasts this many periods: a sample taken while it stalled must not count later. */
const DOUBT_PERIODS = 2;

type Reach = { readonly target: ReferenceTarget; ok: boolean | null };

/**
 * The agent's doubt in itself: a stalled event loop (garbage collection included) makes deadlines lie, a stepped wall
 * clock hints at a suspended machine, and when nothing outside answers it is this side that is cut off.
 */
export class NodeSelfMonitor implements SelfMonitor {
  readonly #options: SelfMonitorOptions;
  readonly #reach: readonly Reach[];
  readonly #timers: readonly NodeJS.Timeout[];
  #tickedAtMs: Ms;
  #stalledAtMs: Ms | null = null;
  #stalledForMs: Ms = 0;
  #steppedAtMs: Ms | null = null;
  #steppedByMs: Ms = 0;
  #wallMinusMono: Ms;
  #asking = false;

  constructor(options: SelfMonitorOptions) {
    this.#options = options;
    this.#reach = options.referenceTargets.filter((t) => t.idc !== options.idc).map((target) => ({ target, ok: null }));
    this.#wallMinusMono = this.#clockDifference();
    this.#tickedAtMs = options.clock();
    const every = (ms: Ms, work: () => void): NodeJS.Timeout => setInterval(work, ms).unref();
    this.#timers = [every(LOOP_TICK_MS, () => this.#measure()), every(options.periodMs, () => this.#round())];
    this.#round();
  }

  health(judged: Readonly<{ idc: IdcName | null; answers: boolean }>): SelfHealth {
    this.#measure();
    const nowMs = this.#options.clock();
    const doubtMs = DOUBT_PERIODS * this.#options.periodMs;
    const reasons: string[] = [];
    if (this.#stalledAtMs !== null && nowMs - this.#stalledAtMs < doubtMs) {
      reasons.push(`event loop stood still for ${Math.round(this.#stalledForMs)} ms`);
    }
    if (this.#steppedAtMs !== null && nowMs - this.#steppedAtMs < doubtMs) {
      reasons.push(`wall clock stepped by ${Math.round(this.#steppedByMs)} ms`);
    }
    const others = this.#reach.filter((r) => r.target.idc !== judged.idc && r.ok !== null);
    if (!judged.answers && others.length > 0 && others.every((r) => r.ok === false)) {
      reasons.push(
        `no reference target answers: ${others.map((r) => `${r.target.idc} ${r.target.address}`).join(', ')}`,
      );
    }
    return { healthy: reasons.length === 0, reasons };
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #round(): void {
    if (this.#asking) return; // a round never overlaps itself
    this.#asking = true;
    const asked = this.#reach.map(async (r) => {
      r.ok = await reaches(r.target.address, this.#options.timeoutMs);
    });
    void Promise.allSettled(asked).then(() => (this.#asking = false));
  }

  #measure(): void {
    const nowMs = this.#options.clock();
    // Node's own histogram loses a stall when it is reset before its timer fires, which is exactly after a stall.
    const delayMs = nowMs - this.#tickedAtMs - LOOP_TICK_MS;
    this.#tickedAtMs = nowMs;
    if (delayMs > this.#options.timeoutMs / 2) {
      this.#stalledAtMs = nowMs;
      this.#stalledForMs = delayMs;
    }
    const difference = this.#clockDifference();
    const stepMs = difference - this.#wallMinusMono;
    this.#wallMinusMono = difference;
    if (Math.abs(stepMs) > CLOCK_STEP_MS) {
      this.#steppedAtMs = nowMs;
      this.#steppedByMs = stepMs;
    }
  }

  #clockDifference(): Ms {
    return (this.#options.wallClock ?? Date.now)() - this.#options.clock();
  }
}

function reaches(address: string, deadlineMs: Ms): Promise<boolean> {
  const { host, port } = parseAddress(address);
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (ok: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(ok);
    };
    const timer = setTimeout(() => done(false), deadlineMs);
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}

import {
  assess,
  type ClusterName,
  type ClusterReport,
  DEFAULT_HEALTH_SETTINGS,
  foldSample,
  type HealthMemory,
  type HealthSettings,
  type IdcName,
  INITIAL_HEALTH_MEMORY,
  type Ms,
  type SelfHealth,
} from '#health';
import type { AgentState } from './scenario.js';
import { sampleOf, viewNamed } from './views.js';

/** A report on its way: what the agent says, and when it reaches the controller. */
export type Delivery = Readonly<{
  idc: IdcName;
  arrivesAtMs: Ms;
  reports: readonly ClusterReport[];
  selfHealthy: boolean;
}>;

/** One agent as the simulation runs it: the real fold over samples of its views. Its clock is its own. */
export type AgentModel = Readonly<{
  idc: IdcName;
  state: AgentState;
  clockOffsetMs: Ms; // proves that only ages travel
  phaseMs: Ms; // its probe rounds start so long after the others'
  round: number;
  memories: Readonly<Record<ClusterName, HealthMemory>>;
}>;

/** From the end of a round to the controller. */
const DELIVERY_MS: Ms = 20;

const DOUBTS: Partial<Record<AgentState, SelfHealth>> = {
  stalled: { healthy: false, reasons: ['event loop delayed by 1,400 ms'] },
  'clock-step': { healthy: false, reasons: ['clock stepped by 3,600 s'] },
  'no-references': { healthy: false, reasons: ['every reference target outside this IDC fails'] },
};

const HEALTHY: SelfHealth = { healthy: true, reasons: [] };

export const newAgent = (idc: IdcName, index: number): AgentModel => ({
  idc,
  state: 'up',
  clockOffsetMs: 10_000_000 * (index + 1),
  phaseMs: index * 300,
  round: 0,
  memories: {},
});

export const probes = (a: AgentModel): boolean => a.state !== 'gone' && a.state !== 'frozen' && a.state !== 'goodbye';

/** A process that died forgets; a frozen or cut one does not. */
export function withState(a: AgentModel, state: AgentState): AgentModel {
  const restarted = (a.state === 'gone' || a.state === 'goodbye') && state !== a.state;
  return { ...a, state, memories: restarted ? {} : a.memories };
}

export const settingsOf = (probe: Readonly<{ periodMs: Ms; timeoutMs: Ms }>): HealthSettings => ({
  ...DEFAULT_HEALTH_SETTINGS,
  ...probe,
});

/** One probe round at `now` (simulation time): folds a sample per cluster and makes the report. */
export function probeRound(
  a: AgentModel,
  now: Ms,
  seen: Readonly<Record<ClusterName, string>>,
  settings: HealthSettings,
): Readonly<{ agent: AgentModel; delivery: Delivery | null }> {
  const takenAt = now + a.clockOffsetMs;
  const self = DOUBTS[a.state] ?? HEALTHY;
  const views = Object.entries(seen).map(([cluster, name]) => ({ cluster, view: viewNamed(name) }));
  const tookMs = views.some((v) => v.view.slow) ? settings.timeoutMs : 30;
  const memories: Record<ClusterName, HealthMemory> = {};
  for (const { cluster, view } of views) {
    const sample = sampleOf(view, a.round, takenAt, self);
    memories[cluster] = foldSample(a.memories[cluster] ?? INITIAL_HEALTH_MEMORY, sample, settings);
  }
  const sentAt = takenAt + tookMs;
  const reports = Object.entries(memories).map(([cluster, m]) => assess(cluster, m, sentAt, settings));
  const arrivesAtMs = now + tookMs + DELIVERY_MS;
  return {
    agent: { ...a, round: a.round + 1, memories },
    delivery: a.state === 'cut' ? null : { idc: a.idc, arrivesAtMs, reports, selfHealthy: self.healthy },
  };
}

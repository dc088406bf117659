import type { AgentId, ClusterName, IdcName, Ms } from '#health';
import type { Condition, ProposalState } from '../proposal/proposal.js';
import type { ActionName, AlertType, BlockerName, ConnectorState, Decision, Mode, Policy } from '../matrix/facts.js';

/** A scenario: phases of "these reports arrive at these times" and what must come of it. Parsed, durations in ms. */
export type Scenario = Readonly<{
  name: string;
  why: string;
  observers: readonly Readonly<{ agent: AgentId; idc: IdcName }>[];
  policy: Policy;
  probe: Readonly<{ periodMs: Ms; timeoutMs: Ms }>;
  tickMs: Ms;
  phases: readonly Phase[];
}>;

/**
 * `up`: probes and reports. `gone`: dead, starts anew when back. `frozen`: stopped, keeps its memory. `cut`: probes, but
 * nothing arrives at this controller. `goodbye`: planned stop. `stalled`, `clock-step`, `no-references`: doubts itself.
 */
export const AGENT_STATES = [
  'up',
  'gone',
  'frozen',
  'cut',
  'goodbye',
  'stalled',
  'clock-step',
  'no-references',
] as const;
export type AgentState = (typeof AGENT_STATES)[number];

/** Everything set in a phase stays until another phase changes it. */
export type Phase = Readonly<{
  name: string;
  forMs: Ms;
  sees: Readonly<Record<ClusterName, Readonly<Record<IdcName, string>>>>; // cluster → observer's IDC → view
  agents: Readonly<Record<IdcName, AgentState>>;
  group: GroupChange;
  lag: LagChange | null;
  center: string | null; // 'ok'; another text is the error of the write canary
  controller: Readonly<{ leading?: boolean; term?: number; restart?: boolean }>;
  fences: Readonly<Record<ClusterName, 'fenced' | 'open' | 'partial' | 'foreign' | 'unknown'>>;
  brokers: Readonly<{ sessionTimeoutMs?: Ms; electionTimeoutMs?: Ms }> | null;
  connector: Readonly<{
    syncsTopicAcls?: boolean;
    excludesMaxMessageBytes?: boolean;
    foreignTopics?: readonly string[];
    dedicated?: boolean; // a MirrorMaker process without REST carries the flow
    purged?: number; // records that were removed from the source before they were copied
    state?: ConnectorState;
  }> | null;
  placement: Readonly<{ store?: readonly IdcName[]; center?: readonly IdcName[] }> | null;
  digests: Readonly<Record<string, string>> | null;
  expect: Expectation | null;
}>;

export type GroupChange = Readonly<{
  mode?: Mode;
  active?: ClusterName;
  epoch?: number;
  paused?: boolean;
  frozen?: string | null;
  sagaOpen?: boolean;
  published?: boolean; // an automatic failover published at the start of this phase
  acknowledged?: boolean; // that failover, and flapping
  closedUnpublished?: Readonly<{ attempts: number; outcome: string }> | null;
  acceptLoss?: Readonly<{ records: number | null; durationMs: Ms | null; forMs: Ms }> | null;
  rejoin?: readonly ClusterName[];
  armed?: readonly ClusterName[];
  proposal?: Readonly<{ state: ProposalState; about: Condition }> | null; // from the start of this phase
}>;

export type LagChange = Readonly<{ records: number | null; ms: Ms | null; heartbeatAgeMs: Ms | null }>;

/** At the end of the phase, unless said otherwise. What is absent is not looked at, except that nothing may act. */
export type Expectation = Readonly<{
  row?: number;
  action?: ActionName;
  wouldDo?: ActionName;
  gates?: readonly string[]; // exactly these
  blockers?: readonly BlockerName[]; // exactly these
  alerts?: readonly AlertType[]; // at least these
  noAlerts?: readonly AlertType[];
  also?: readonly number[]; // at least these
  verdict?: string; // on the active cluster
  fit?: boolean;
  rows?: readonly number[]; // every row of the phase in order, repeats left out
  windowMs?: Ms; // length of the window
  /** The first tick of the phase whose action moves something; times since the phase began. */
  acts?: Readonly<{ action: ActionName; fromMs: Ms; toMs: Ms }>;
}>;

/** A change within a phase: one line of what a simulation shows. */
export type Change = Readonly<{
  atMs: Ms; // since the scenario began
  row: number;
  name: string;
  action: ActionName;
  wouldDo: ActionName;
  gate: Decision['gate'];
  blockers: readonly BlockerName[];
  verdict: string;
}>;

export type PhaseResult = Readonly<{
  name: string;
  fromMs: Ms;
  toMs: Ms;
  changes: readonly Change[];
  failures: readonly string[];
}>;

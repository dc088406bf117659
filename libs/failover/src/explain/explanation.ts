import type { AgentId, ClusterFields, ClusterName, IdcName, Ms, VerdictName, VoteMark } from '#health';
import type { SelfFenceView } from '../fencing/self-fence.js';
import type { ActionName, AlertType, Blocker, Decision, GateName, Mode } from '../matrix/facts.js';

/** Why a decision came out as it did, as plain JSON: what the API answers and the CLI renders. */
export type Explanation = Readonly<{
  group: string;
  at: string; // RFC 3339 UTC
  term: number;
  epoch: number;
  active: ClusterName;
  target: ClusterName | null;
  mode: Mode;
  leading: boolean;
  row: Readonly<{ id: number; name: string; sentence: string }>;
  action: ActionName;
  wouldDo: ActionName;
  alerts: readonly AlertType[];
  gates: readonly Readonly<{ name: GateName; sentence: string }>[];
  rowsAbove: readonly Readonly<{ id: number; name: string; failed: string }>[]; // each with the condition that failed
  also: readonly Readonly<{ id: number; name: string }>[];
  clusters: readonly ClusterExplanation[]; // the active one first
  window: WindowExplanation | null;
  blockers: readonly Blocker[];
  fitness: Decision['targetFit'];
  selfFence?: SelfFenceView | null; // of the active cluster; null: the policy asks for none; absent in older events
  /** Who keeps it back, and until when; absent in older events. */
  pause?: Readonly<{ owner: string; reason: string; until: string; everywhere: boolean }> | null;
  /** What will happen without anybody saying more; absent in older events. */
  scheduled?: Readonly<{ id: string; act: string; target: ClusterName; at: string; by: string; reason: string }> | null;
  loss: Decision['loss'];
  reasons: readonly string[];
}>;

export type ClusterExplanation = Readonly<{
  cluster: ClusterName;
  role: 'active' | 'target' | 'member';
  verdict: VerdictName;
  cutPairs: readonly (readonly [IdcName, IdcName])[];
  votes: readonly VoteExplanation[];
}>;

export type VoteExplanation = Readonly<{
  idc: IdcName;
  agent: AgentId;
  role: 'own' | 'witness' | 'outsider';
  vote: string; // UP, DEGRADED, DOWN/UNREACHABLE …
  counts: boolean; // is it one of F
  ageMs: Ms | null;
  failingForMs: Ms;
  marks: readonly VoteMark[];
  reasons: readonly string[];
  fields: ClusterFields | null;
}>;

export type WindowExplanation = Readonly<{
  fillMs: Ms;
  lengthMs: Ms;
  dueInMs: Ms;
  deadline: string; // RFC 3339 UTC: when it is or was full
  complete: boolean;
  text: string; // `7.4 s of 20 s`
  waitsFor: string | null; // full, but something else is still awaited
}>;

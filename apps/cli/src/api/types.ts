/** The parts of the API's bodies that the CLI renders; everything else passes through `-o json` unseen. */

export type GroupBody = Readonly<{
  group: string;
  active: string;
  standby: string | null;
  mode: string;
  row: number | null;
  name: string;
  state: string;
  gate: readonly string[];
  action: string;
  wouldDo: string;
  reasons: readonly string[];
  window: Readonly<{ fillMs: number; lengthMs: number; complete: boolean; actsAt: string }> | null;
  blockers: readonly Blocker[];
  lag: Readonly<{
    records: number | null;
    ms: number | null;
    budget: Readonly<{ records: number; ms: number }>;
    trend: 'rising' | 'falling' | 'steady' | 'unknown';
  }>;
  epoch: number;
  leader: Readonly<{ id: string; term: number }> | null;
  observers: readonly Readonly<{ agent: string; idc: string; votes: Readonly<Record<string, string>> }>[];
  pause: Readonly<{ owner: string; reason: string; expiresAt: string }> | null;
  frozen: string | null;
  saga: Readonly<{ id: string; step: string | null }> | null;
  lossAcceptance: Readonly<{ by: string; maxRecords: number | null; maxMs: number | null; expiresAt: string }> | null;
}>;

export type Blocker = Readonly<{ name: string; detail: string; liftedBy: string }>;

export type GroupsBody = Readonly<{ groups: readonly GroupBody[] }>;

export type EventBody = Readonly<{
  seq: number;
  at: string;
  group: string | null;
  type: string;
  row: number | null;
  summary: string;
  term: number;
  epoch: number | null;
}>;

export type WriteBody = Readonly<{ group: string; action: string; dryRun: boolean; summary: string; epoch: number }>;

export type PlannedBody = WriteBody &
  Readonly<{
    saga: string | null;
    source: string;
    target: string;
    steps: readonly Readonly<{ step: string; phase: string; effect: string; compensation: string | null }>[];
  }>;

export type OperationBody = Readonly<{
  id: string;
  kind: string;
  group: string;
  source: string;
  target: string;
  done: boolean;
  outcome: string | null;
  reason: string | null;
  steps: readonly Readonly<{
    seq: number;
    step: string;
    direction: string;
    event: string;
    at: string;
    summary: string | null;
  }>[];
}>;

type TailEdge = Readonly<{ offset: number; timestampMs: number; key: string | null }>;
export type TailBody = Readonly<{
  group: string;
  cluster: string;
  state: string;
  seam: Readonly<{ choices: readonly string[]; objections: readonly string[] }>;
  tail: Readonly<{
    records: number;
    bytes: number;
    path: string;
    agent: string;
    loss: Readonly<{ says: string }>;
    partitions: readonly Readonly<{
      topic: string;
      partition: number;
      records: number;
      bytes: number;
      first: TailEdge | null;
      last: TailEdge | null;
    }>[];
  }> | null;
}>;

export type AbortBody = Readonly<{ saga: string; group: string; outcome: string }>;

export type ControllersBody = Readonly<{
  answeredBy: Readonly<{ id: string; version: string; leading: boolean }>;
  leader: Readonly<{ id: string; advertise: string; term: number }> | null;
  time: string;
  controllers: readonly Readonly<{
    id: string;
    idc: string;
    advertise: string;
    policyDigest: string;
    version: string;
  }>[];
}>;

export type ProblemBody = Readonly<{
  status: number;
  code: string;
  title: string;
  detail: string;
  blockedBy: readonly Blocker[];
  errors: readonly Readonly<{ pointer: string; detail: string }>[];
  leader: string | null;
  requestId: string;
}>;

import type { ClusterFields, Ms, Observer, Vote } from '#health';
import { INITIAL_MEMORY, type FlowFacts, type GroupFacts, type Snapshot } from '../matrix/facts.js';

/**
 * The group that examples, table checks and tests start from: clusters a and b, a witness in c, all in order.
 * Pure builders of plain data; every part can be replaced.
 */

/** The seven states a vote can be in, as the enumeration of the tables knows them. */
export const VOTE_SHAPES = ['up', 'degraded', 'refused', 'silent', 'no-service', 'abstain', 'stale'] as const;
export type VoteShape = (typeof VOTE_SHAPES)[number];

export const SAMPLE_IDCS = ['a', 'b', 'c'] as const;
export type SampleIdc = (typeof SAMPLE_IDCS)[number];

export const sampleFields = (over: Partial<ClusterFields> = {}): ClusterFields => ({
  expectedBrokers: 3,
  answeringBrokers: 3,
  activeBrokers: 3,
  clusterId: 'kafka',
  quorumLeader: 1,
  hotStandby: { total: 12, offline: 0, underReplicated: 0, underMinIsr: 0 },
  otherTopics: null,
  canarySampledBrokers: 3,
  canaryOkBrokers: 3,
  canaryLatencyMs: 5,
  canarySuccessRatio: 1,
  endOffsetsAdvancing: true,
  errorKinds: [],
  ...over,
});

const SHAPES: Readonly<Record<VoteShape, (forMs: Ms) => Partial<Vote>>> = {
  up: () => ({ state: 'UP' }),
  degraded: () => ({ state: 'DEGRADED', fields: sampleFields({ answeringBrokers: 2 }) }),
  refused: (forMs) => ({
    state: 'DOWN',
    kind: 'UNREACHABLE',
    everyBrokerRefused: true,
    failingForMs: forMs,
    refusedForMs: forMs,
    fields: sampleFields({ answeringBrokers: 0, canaryOkBrokers: 0, errorKinds: ['refused'] }),
  }),
  silent: (forMs) => ({
    state: 'DOWN',
    kind: 'UNREACHABLE',
    failingForMs: forMs,
    fields: sampleFields({ answeringBrokers: 0, canaryOkBrokers: 0, errorKinds: ['deadline'] }),
  }),
  'no-service': (forMs) => ({
    state: 'DOWN',
    kind: 'NO_SERVICE',
    failingForMs: forMs,
    fields: sampleFields({ canaryOkBrokers: 0, endOffsetsAdvancing: false, errorKinds: ['deadline'] }),
  }),
  abstain: () => ({ state: 'ABSTAIN', reasons: ['loop delay 1,400 ms'] }),
  stale: (forMs) => ({ state: 'STALE', ageMs: forMs + 1_000, reasons: ['silent'] }),
};

/** A vote of the given shape; `forMs`: for how long it has been failing or silent, at its sample. */
export function sampleVote(agent: string, shape: VoteShape, forMs: Ms = 0, over: Partial<Vote> = {}): Vote {
  const answering = shape === 'up' || shape === 'degraded';
  return {
    agent,
    state: 'UP',
    kind: null,
    everyBrokerRefused: false,
    marks: [],
    reasons: [],
    ageMs: 1_000,
    failingForMs: 0,
    refusedForMs: 0,
    lastAnsweredAgeMs: answering ? 1_000 : forMs + 3_000,
    fields: sampleFields(),
    ...SHAPES[shape](forMs),
    ...over,
  };
}

/** Votes of the agents in IDCs a, b and c on one cluster. */
export function sampleVotes(
  shapes: Readonly<Record<SampleIdc, VoteShape>>,
  forMs: Ms = 0,
): Readonly<Record<string, Vote>> {
  return Object.fromEntries(SAMPLE_IDCS.map((idc) => [`agent-${idc}`, sampleVote(`agent-${idc}`, shapes[idc], forMs)]));
}

export const sampleObservers: readonly Observer[] = SAMPLE_IDCS.map((idc) => ({
  agent: `agent-${idc}`,
  idc,
  ageMs: 500,
  selfHealthy: true,
  goodbyeAgeMs: null,
}));

export const sampleFlow = (over: Partial<FlowFacts> = {}): FlowFacts => ({
  from: 'a',
  to: 'b',
  lagRecords: 12,
  lagMs: 400,
  heartbeatAgeMs: 900,
  observedAgeMs: 1_000,
  sourceConnector: 'RUNNING',
  checkpointConnector: 'RUNNING',
  perPartition: [],
  ...over,
});

export const sampleGroup = (over: Partial<GroupFacts> = {}): GroupFacts => ({
  name: 'orders',
  clusters: [
    { name: 'a', idc: 'a' },
    { name: 'b', idc: 'b' },
  ],
  active: 'a',
  epoch: 1,
  mode: 'auto',
  modeChangedAgeMs: null,
  pause: null,
  unpausedAgeMs: null,
  frozen: null,
  openSaga: null,
  lastPublishedAuto: null,
  lastPublishedSagaAgeMs: null,
  lastUnpublishedClose: null,
  flapsAcknowledgedAgeMs: null,
  lossAcceptance: null,
  rejoin: [],
  armed: {},
  ...over,
});

const ALL_UP = { a: 'up', b: 'up', c: 'up' } as const;

/** A snapshot in which everything is in order; leading, term 1, at `now` = 1,000,000 ms. */
export const sampleSnapshot = (over: Partial<Snapshot> = {}): Snapshot => ({
  now: 1_000_000,
  wallNow: 1_795_269_600_000,
  leading: true,
  term: 1,
  graceOver: true,
  group: sampleGroup(),
  observers: sampleObservers,
  votes: { a: sampleVotes(ALL_UP), b: sampleVotes(ALL_UP) },
  flows: [sampleFlow()],
  fences: [],
  clusterSettings: {},
  flowSettings: [],
  configCenter: { writableAgeMs: 2_000, error: null },
  policyDigests: { 'ctl-a': 'd1', 'ctl-b': 'd1', 'ctl-c': 'd1' },
  placement: { storeSurvives: ['a', 'b', 'c'], configCenterSurvives: ['a', 'b', 'c'] },
  probe: { periodMs: 2_000, timeoutMs: 2_000 },
  memory: INITIAL_MEMORY,
  ...over,
});

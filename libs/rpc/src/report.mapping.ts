import type { ClusterFields, ClusterReport, DownKind, PartitionCounts, ProbeErrorKind, VoteMark } from '#health';
import * as pb from './generated/pointsman/agent/v1/agent.js';
import { ageFromWire, durationFromWire, enumCodec, optionalAge, orNull, orUndefined } from './wire.js';

const state = enumCodec<ClusterReport['state']>({
  UP: pb.VoteState.VOTE_STATE_UP,
  DEGRADED: pb.VoteState.VOTE_STATE_DEGRADED,
  DOWN: pb.VoteState.VOTE_STATE_DOWN,
  ABSTAIN: pb.VoteState.VOTE_STATE_ABSTAIN,
});

const downKind = enumCodec<DownKind>({
  UNREACHABLE: pb.DownKind.DOWN_KIND_UNREACHABLE,
  NO_SERVICE: pb.DownKind.DOWN_KIND_NO_SERVICE,
});

const mark = enumCodec<VoteMark>({
  NO_QUORUM: pb.VoteMark.VOTE_MARK_NO_QUORUM,
  RECOVERING: pb.VoteMark.VOTE_MARK_RECOVERING,
  GRAY: pb.VoteMark.VOTE_MARK_GRAY,
  MISCONFIGURED: pb.VoteMark.VOTE_MARK_MISCONFIGURED,
});

const errorKind = enumCodec<ProbeErrorKind>({
  refused: pb.ProbeErrorKind.PROBE_ERROR_KIND_REFUSED,
  reset: pb.ProbeErrorKind.PROBE_ERROR_KIND_RESET,
  no_route: pb.ProbeErrorKind.PROBE_ERROR_KIND_NO_ROUTE,
  deadline: pb.ProbeErrorKind.PROBE_ERROR_KIND_DEADLINE,
  dns: pb.ProbeErrorKind.PROBE_ERROR_KIND_DNS,
  tls: pb.ProbeErrorKind.PROBE_ERROR_KIND_TLS,
  authentication: pb.ProbeErrorKind.PROBE_ERROR_KIND_AUTHENTICATION,
  authorization: pb.ProbeErrorKind.PROBE_ERROR_KIND_AUTHORIZATION,
  quota: pb.ProbeErrorKind.PROBE_ERROR_KIND_QUOTA,
  broker: pb.ProbeErrorKind.PROBE_ERROR_KIND_BROKER,
  other: pb.ProbeErrorKind.PROBE_ERROR_KIND_OTHER,
});

export const clusterReportToWire = (r: ClusterReport): pb.ClusterReport => ({
  cluster: r.cluster,
  state: state.toWire(r.state) as pb.VoteState,
  kind: r.kind === null ? undefined : (downKind.toWire(r.kind) as pb.DownKind),
  everyBrokerRefused: r.everyBrokerRefused,
  marks: r.marks.map((m) => mark.toWire(m) as pb.VoteMark),
  reasons: r.reasons,
  sampleAgeMs: r.sampleAgeMs,
  failingForMs: r.failingForMs,
  refusedForMs: r.refusedForMs,
  lastAnsweredAgeMs: orUndefined(r.lastAnsweredAgeMs),
  fields: fieldsToWire(r.fields),
});

/** A state that this version does not know, or DOWN of an unknown kind, is an abstention: never evidence of death. */
export function clusterReportFromWire(r: pb.ClusterReport): ClusterReport {
  const kind = downKind.fromWire(r.kind);
  const said = state.fromWire(r.state) ?? 'ABSTAIN';
  const down = said === 'DOWN' && kind !== null;
  return {
    cluster: r.cluster,
    state: said === 'DOWN' && !down ? 'ABSTAIN' : said,
    kind: down ? kind : null,
    everyBrokerRefused: down && kind === 'UNREACHABLE' && r.everyBrokerRefused,
    marks: r.marks.map((m) => mark.fromWire(m)).filter((m) => m !== null),
    reasons: r.reasons,
    sampleAgeMs: ageFromWire(r.sampleAgeMs),
    failingForMs: durationFromWire(r.failingForMs),
    refusedForMs: durationFromWire(r.refusedForMs),
    lastAnsweredAgeMs: optionalAge(r.lastAnsweredAgeMs),
    fields: fieldsFromWire(r.fields),
  };
}

const fieldsToWire = (f: ClusterFields): pb.ClusterFields => ({
  expectedBrokers: f.expectedBrokers,
  answeringBrokers: f.answeringBrokers,
  activeBrokers: orUndefined(f.activeBrokers),
  clusterId: orUndefined(f.clusterId),
  quorumLeader: orUndefined(f.quorumLeader),
  hotStandby: orUndefined(f.hotStandby),
  otherTopics: orUndefined(f.otherTopics),
  canarySampledBrokers: f.canarySampledBrokers,
  canaryOkBrokers: f.canaryOkBrokers,
  canaryLatencyMs: orUndefined(f.canaryLatencyMs),
  canarySuccessRatio: orUndefined(f.canarySuccessRatio),
  endOffsetsAdvancing: orUndefined(f.endOffsetsAdvancing),
  errorKinds: f.errorKinds.map((e) => errorKind.toWire(e) as pb.ProbeErrorKind),
});

const fieldsFromWire = (f: pb.ClusterFields | undefined): ClusterFields => ({
  expectedBrokers: f?.expectedBrokers ?? 0,
  answeringBrokers: f?.answeringBrokers ?? 0,
  activeBrokers: orNull(f?.activeBrokers),
  clusterId: orNull(f?.clusterId),
  quorumLeader: orNull(f?.quorumLeader),
  hotStandby: countsFromWire(f?.hotStandby),
  otherTopics: countsFromWire(f?.otherTopics),
  canarySampledBrokers: f?.canarySampledBrokers ?? 0,
  canaryOkBrokers: f?.canaryOkBrokers ?? 0,
  canaryLatencyMs: orNull(f?.canaryLatencyMs),
  canarySuccessRatio: orNull(f?.canarySuccessRatio),
  endOffsetsAdvancing: orNull(f?.endOffsetsAdvancing),
  errorKinds: (f?.errorKinds ?? []).map((e) => errorKind.fromWire(e) ?? 'other'),
});

const countsFromWire = (c: pb.PartitionCounts | undefined): PartitionCounts | null =>
  c === undefined
    ? null
    : { total: c.total, offline: c.offline, underReplicated: c.underReplicated, underMinIsr: c.underMinIsr };

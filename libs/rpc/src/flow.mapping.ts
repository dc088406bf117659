import {
  type ConnectorFailure,
  type ConnectorState,
  type FenceFacts,
  MOST_FAILURES,
  type SilentGap,
  TRACE_CHARACTERS,
} from '#failover';
import * as pb from './generated/pointsman/agent/v1/agent.js';
import type { AgentReport, FenceUpdate, FlowUpdate, PartitionUpdate } from './messages.js';
import { fenceKind } from './goal.mapping.js';
import { clusterReportFromWire, clusterReportToWire } from './report.mapping.js';
import {
  clusterSettingsFromWire,
  clusterSettingsToWire,
  flowSettingsFromWire,
  flowSettingsToWire,
} from './settings.mapping.js';
import { ageFromWire, enumCodec, optionalAge, orNull, orUndefined, UNUSABLE_AGE_MS } from './wire.js';

const connectorState = enumCodec<ConnectorState>({
  RUNNING: pb.ConnectorState.CONNECTOR_STATE_RUNNING,
  PAUSED: pb.ConnectorState.CONNECTOR_STATE_PAUSED,
  STOPPED: pb.ConnectorState.CONNECTOR_STATE_STOPPED,
  FAILED: pb.ConnectorState.CONNECTOR_STATE_FAILED,
  UNASSIGNED: pb.ConnectorState.CONNECTOR_STATE_UNASSIGNED,
  ABSENT: pb.ConnectorState.CONNECTOR_STATE_ABSENT,
  UNKNOWN: pb.ConnectorState.CONNECTOR_STATE_UNKNOWN,
});

const fenceState = enumCodec<FenceFacts['state']>({
  fenced: pb.FenceState.FENCE_STATE_FENCED,
  open: pb.FenceState.FENCE_STATE_OPEN,
  partial: pb.FenceState.FENCE_STATE_PARTIAL,
  foreign: pb.FenceState.FENCE_STATE_FOREIGN,
  unknown: pb.FenceState.FENCE_STATE_UNKNOWN,
});

const gapKind = enumCodec<SilentGap['kind']>({
  purged: pb.SilentGapKind.SILENT_GAP_KIND_PURGED,
  recreated: pb.SilentGapKind.SILENT_GAP_KIND_RECREATED,
  recopied: pb.SilentGapKind.SILENT_GAP_KIND_RECOPIED,
});

export const reportToWire = (r: AgentReport): pb.Report => ({
  full: r.full,
  self: r.self,
  clusters: r.clusters.map(clusterReportToWire),
  flows: r.flows.map(flowToWire),
  fences: r.fences.map(fenceToWire),
  clusterSettings: r.clusterSettings.map(clusterSettingsToWire),
  flowSettings: r.flowSettings.map(flowSettingsToWire),
  consumerGroups: r.consumerGroups.map((c) => ({
    ...c,
    lagRecords: orUndefined(c.lagRecords),
    committedAgeMs: orUndefined(c.committedAgeMs),
    members: c.members,
  })),
  selfFences: r.selfFences,
});

/** A report that says nothing of the agent's own health comes from a doubtful agent. */
export const reportFromWire = (r: pb.Report): AgentReport => ({
  full: r.full,
  self: r.self ?? { healthy: false, reasons: ['the report says nothing of its own health'] },
  clusters: r.clusters.map(clusterReportFromWire),
  flows: r.flows.map(flowFromWire),
  fences: r.fences.map(fenceFromWire),
  clusterSettings: r.clusterSettings.map(clusterSettingsFromWire),
  flowSettings: r.flowSettings.map(flowSettingsFromWire),
  consumerGroups: r.consumerGroups.map(({ members, ...c }) => ({
    ...c,
    lagRecords: orNull(c.lagRecords),
    observedAgeMs: ageFromWire(c.observedAgeMs),
    committedAgeMs: optionalAge(c.committedAgeMs),
    ...(members === undefined ? {} : { members }),
  })),
  // Nonsense makes the fence take for ever, never no time at all.
  selfFences: r.selfFences.map((a) => ({ ...a, applyMs: ageFromWire(a.applyMs) })),
});

const flowToWire = (f: FlowUpdate): pb.FlowReport => ({
  group: f.group,
  from: f.from,
  to: f.to,
  lagRecords: orUndefined(f.lagRecords),
  lagMs: orUndefined(f.lagMs),
  heartbeatAgeMs: orUndefined(f.heartbeatAgeMs),
  observedAgeMs: orUndefined(f.observedAgeMs),
  sourceConnector: connectorState.toWire(f.sourceConnector) as pb.ConnectorState,
  checkpointConnector: connectorState.toWire(f.checkpointConnector) as pb.ConnectorState,
  whole: f.whole,
  partitions: f.partitions.map(partitionToWire),
  roundAgeMs: f.roundAgeMs,
  checkpointAgeMs: f.checkpointAgeMs,
  gaps: (f.gaps ?? []).map(gapToWire),
  failures: (f.failures ?? []).map((c) => ({ ...c, task: orUndefined(c.task) })),
});

const flowFromWire = (f: pb.FlowReport): FlowUpdate => ({
  group: f.group,
  from: f.from,
  to: f.to,
  lagRecords: orNull(f.lagRecords),
  lagMs: optionalAge(f.lagMs),
  heartbeatAgeMs: optionalAge(f.heartbeatAgeMs),
  observedAgeMs: optionalAge(f.observedAgeMs),
  sourceConnector: connectorState.fromWire(f.sourceConnector) ?? 'UNKNOWN',
  checkpointConnector: connectorState.fromWire(f.checkpointConnector) ?? 'UNKNOWN',
  whole: f.whole,
  partitions: f.partitions.map(partitionFromWire),
  roundAgeMs: ageFromWire(f.roundAgeMs),
  ...(f.checkpointAgeMs === undefined ? {} : { checkpointAgeMs: ageFromWire(f.checkpointAgeMs) }),
  ...(f.gaps.length === 0 ? {} : { gaps: f.gaps.map(gapFromWire) }),
  ...(f.failures.length === 0 ? {} : { failures: f.failures.slice(0, MOST_FAILURES).map(failureFromWire) }),
});

/** Bounded here too: it ends up in journals and events. */
const failureFromWire = ({ connector, task, trace }: pb.ConnectorFailure): ConnectorFailure => ({
  connector,
  task: orNull(task),
  trace: trace.slice(0, TRACE_CHARACTERS),
});

const gapToWire = (g: SilentGap): pb.SilentGap => ({
  ...g,
  kind: gapKind.toWire(g.kind) as pb.SilentGapKind,
  records: orUndefined(g.records),
  downstream: orUndefined(g.downstream),
});

/** A kind that this version does not know is told as the worst one: records are missing. */
const gapFromWire = (g: pb.SilentGap): SilentGap => ({
  topic: g.topic,
  partition: g.partition,
  kind: gapKind.fromWire(g.kind) ?? 'purged',
  records: orNull(g.records),
  downstream: orNull(g.downstream),
  ageMs: ageFromWire(g.ageMs),
});

const partitionToWire = (p: PartitionUpdate): pb.PartitionLag => ({
  topic: p.topic,
  partition: p.partition,
  sourceEnd: orUndefined(p.sourceEnd),
  replicated: orUndefined(p.replicated),
  sourceEndCurrent: p.sourceEndCurrent,
  replicatedCurrent: p.replicatedCurrent,
  sourceEndAgeMs: p.sourceEndCurrent ? undefined : orUndefined(p.sourceEndAgeMs),
  replicatedAgeMs: p.replicatedCurrent ? undefined : orUndefined(p.replicatedAgeMs),
});

const partitionFromWire = (p: pb.PartitionLag): PartitionUpdate => ({
  topic: p.topic,
  partition: p.partition,
  sourceEnd: orNull(p.sourceEnd),
  replicated: orNull(p.replicated),
  sourceEndCurrent: p.sourceEndCurrent,
  replicatedCurrent: p.replicatedCurrent,
  sourceEndAgeMs: valueAge(p.sourceEnd, p.sourceEndCurrent, p.sourceEndAgeMs),
  replicatedAgeMs: valueAge(p.replicated, p.replicatedCurrent, p.replicatedAgeMs),
});

/** A value without an age that is not marked current is unusable; no value has no age. */
function valueAge(value: number | undefined, current: boolean, ageMs: number | undefined): number | null {
  if (current || value === undefined) return null;
  return ageMs === undefined ? UNUSABLE_AGE_MS : ageFromWire(ageMs);
}

const fenceToWire = (f: FenceUpdate): pb.FenceReport => ({
  group: f.group,
  cluster: f.cluster,
  state: fenceState.toWire(f.state) as pb.FenceState,
  kind: f.kind === null ? undefined : (fenceKind.toWire(f.kind) as pb.FenceKind),
  epoch: orUndefined(f.epoch),
  ageMs: orUndefined(f.ageMs),
});

const fenceFromWire = (f: pb.FenceReport): FenceUpdate => ({
  group: f.group,
  cluster: f.cluster,
  state: fenceState.fromWire(f.state) ?? 'unknown',
  kind: fenceKind.fromWire(f.kind),
  epoch: orNull(f.epoch),
  ageMs: optionalAge(f.ageMs),
});

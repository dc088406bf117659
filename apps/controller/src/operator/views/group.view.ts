import {
  type Decision,
  type FlowFacts,
  type Policy,
  type SagaRecord,
  type ScheduledSwitch,
  selfFenceView,
  type Snapshot,
} from '#failover';
import type { LeadershipView } from '../../leadership/leadership.port.js';
import type { ConsumerLag } from '../../observation/observation.port.js';
import type { FleetRow, GroupRow, PauseRow } from '../../persistence/authority-store.port.js';
import type { Trend } from './lag-trend.js';

export type GroupView = ReturnType<typeof groupView>;

export type GroupSources = Readonly<{
  name: string;
  clusters: readonly string[];
  policy: Policy;
  /** Null until the first tick. */
  latest: Readonly<{ snapshot: Snapshot; decision: Decision }> | null;
  /** Null while the store is not reachable: then the snapshot's copy is shown. */
  row: GroupRow | null;
  /** Null while the store is not reachable. */
  fleet: FleetRow | null;
  saga: SagaRecord | null;
  leadership: LeadershipView;
  trend: Trend;
  consumers: readonly ConsumerLag[];
  wallNowMs: number;
}>;

const iso = (ms: number): string => new Date(ms).toISOString();

/** The body that GET groups returns and `status -o json` prints: everything an operator asks first, in one object. */
export const groupView = (s: GroupSources) => {
  const { snapshot, decision } = s.latest ?? { snapshot: null, decision: null };
  const active = s.row?.active ?? snapshot?.group.active ?? s.clusters[0] ?? '';
  const standby = s.clusters.find((c) => c !== active) ?? null;
  return {
    group: s.name,
    active,
    standby,
    // The row's mode counts only once an operator changed it; the snapshot has worked that out.
    mode: snapshot?.group.mode ?? s.row?.mode ?? 'observe',
    modeSet: modeSetView(s.row),
    row: decision?.row ?? null,
    name: decision?.name ?? 'Starting',
    state: decision?.state ?? 'This controller has not decided yet.',
    gate: decision?.gate ?? [],
    action: decision?.action ?? 'none',
    wouldDo: decision?.wouldDo ?? 'none',
    also: decision?.also ?? [],
    reasons: decision?.reasons ?? [],
    window: snapshot && decision ? windowView(snapshot, decision) : null,
    blockers: decision?.blockers ?? [],
    lag: lagView(snapshot?.flows.find((f) => f.from === active && f.to === standby) ?? null, s.policy, s.trend),
    consumerGroups: s.consumers,
    epoch: s.row?.epoch ?? snapshot?.group.epoch ?? 0,
    leader: leaderView(s.leadership),
    observers: snapshot ? observersView(snapshot) : [],
    verdicts: Object.fromEntries(Object.entries(decision?.verdicts ?? {}).map(([c, v]) => [c, v.name])),
    target: decision ? { cluster: decision.target, ...decision.targetFit } : null,
    fences: snapshot ? fencesView(snapshot) : [],
    selfFence: snapshot && decision ? selfFenceView(snapshot, decision, s.policy) : null,
    pause: pauseView(s),
    pausedEverywhere: pausedEverywhereView(s),
    frozen: s.row ? s.row.frozen : (snapshot?.group.frozen ?? null),
    saga: sagaView(s),
    lossAcceptance: lossView(s),
    proposal: s.row?.proposal ?? null,
    scheduled: scheduledView(s),
    rejoin: s.row?.rejoin ?? snapshot?.group.rejoin ?? [],
    evaluatedAt: snapshot ? iso(snapshot.wallNow) : null,
  };
};

/** Per cluster: how it is closed to applications now, and what it offers to close it. */
const fencesView = ({ fences, clusterSettings }: Snapshot) =>
  fences.map((f) => ({ ...f, fencing: clusterSettings[f.cluster]?.fencing ?? null }));

const leaderView = (view: LeadershipView) =>
  view.leader ? { id: view.leader.id, term: view.term, advertise: view.leader.advertise } : null;

const windowView = (snapshot: Snapshot, { window }: Decision) =>
  window && {
    fillMs: window.fillMs,
    lengthMs: window.lengthMs,
    complete: window.complete,
    startedAt: iso(snapshot.wallNow - (snapshot.now - window.startedAtMs)),
    actsAt: iso(snapshot.wallNow + window.dueInMs),
  };

const lagView = (flow: FlowFacts | null, policy: Policy, trend: Trend) => ({
  records: flow?.lagRecords ?? null,
  ms: flow?.lagMs ?? null,
  observedAgeMs: flow?.observedAgeMs ?? null,
  budget: { records: policy.maxRpo.records, ms: policy.maxRpo.durationMs },
  trend,
});

const observersView = (snapshot: Snapshot) =>
  snapshot.observers.map((o) => ({
    agent: o.agent,
    idc: o.idc,
    ageMs: o.ageMs,
    selfHealthy: o.selfHealthy,
    goodbye: o.goodbyeAgeMs !== null,
    votes: Object.fromEntries(
      Object.entries(snapshot.votes).map(([cluster, votes]) => [cluster, votes[o.agent]?.state ?? 'STALE']),
    ),
  }));

const inForce = (pause: PauseRow | null, wallNowMs: number): PauseRow | null =>
  pause !== null && Date.parse(pause.expiresAt) > wallNowMs ? pause : null;

const pauseView = ({ row, latest, wallNowMs }: GroupSources) =>
  row ? inForce(row.pause, wallNowMs) : lastKnownPause(latest, false);

const pausedEverywhereView = ({ fleet, latest, wallNowMs }: GroupSources) =>
  fleet ? inForce(fleet.pause, wallNowMs) : lastKnownPause(latest, true);

/** While the store is not reachable; when it began is not known then. */
const lastKnownPause = (latest: GroupSources['latest'], everywhere: boolean) => {
  const pause = latest?.snapshot.group.pause;
  if (!latest || !pause || (pause.everywhere ?? false) !== everywhere) return null;
  const { owner, reason } = pause;
  return { owner, reason, at: null, expiresAt: iso(latest.snapshot.wallNow + pause.expiresInMs) };
};

const lossView = ({ row, latest, wallNowMs }: GroupSources) => {
  if (row)
    return row.lossAcceptance && Date.parse(row.lossAcceptance.expiresAt) > wallNowMs ? row.lossAcceptance : null;
  const loss = latest?.snapshot.group.lossAcceptance;
  if (!latest || !loss) return null;
  const { by, maxRecords, maxMs } = loss;
  return { by, reason: null, maxRecords, maxMs, expiresAt: iso(latest.snapshot.wallNow + loss.expiresInMs) };
};

const scheduledView = ({ row, latest }: GroupSources) => {
  if (row?.scheduled) return scheduledOf(row.scheduled);
  const known = row === null ? latest?.snapshot.group.scheduled : null;
  if (known == null) return null;
  const { id, act, target, at, by, reason } = known;
  return { id, act, target, at, by, reason };
};

/** A scheduled switchover as every answer shows it. */
export const scheduledOf = ({ id, act, target, at, request: { by, reason } }: ScheduledSwitch) => ({
  ...{ id, act, target, at, by, reason },
});

/** Who set the mode in force by hand; null: it is the file's, or the store is not reachable. */
const modeSetView = (row: GroupRow | null) =>
  row === null || row.modeChangedAt === null ? null : { ...row.modeSet, at: row.modeChangedAt };

const sagaView = ({ saga, latest }: GroupSources) => {
  if (saga) return { id: saga.id, step: saga.journal.at(-1)?.step ?? 'open', openedAt: saga.openedAt };
  const open = latest?.snapshot.group.openSaga;
  return open ? { id: open.id, step: null, openedAt: null } : null;
};

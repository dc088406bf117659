import { ageReport, type Ms, type Observer } from '#health';
import type { GroupFacts, SilentGap, Snapshot, SnapshotFlow } from '../matrix/facts.js';
import type { ProposalFacts } from '../proposal/proposal.js';
import { sampleFlow, sampleGroup } from './sample-snapshot.js';
import { graceOver, START_MS, type World } from './world.js';

/** Wall time of the simulation's start: for people only. */
const WALL_START_MS = 1_795_269_600_000;

const age = (w: World, at: Ms | null): Ms | null => (at === null ? null : w.now - at);

const PROPOSAL_STANDS_MS = 1_800_000;

function proposalOf(w: World, { state, about, atMs }: NonNullable<World['group']['proposal']>): ProposalFacts {
  return {
    ...{ id: 'proposal-1', origin: 'matrix', act: 'failover', state, condition: about, after: null },
    ...{ source: w.group.active, target: 'b', epoch: w.group.epoch, needed: 1, approvedBy: [] },
    expiresInMs: PROPOSAL_STANDS_MS - (w.now - atMs),
    closedAgeMs: state === 'open' ? null : w.now - atMs,
  };
}

/** Since the last one ended, or since the scenario began. */
function noSagaOpenAgeMs({ now, group }: World): number | null {
  if (group.sagaOpenSinceMs !== null) return null;
  return now - Math.max(group.publishedAtMs ?? 0, group.closedUnpublished?.atMs ?? 0);
}

function groupOf(w: World): GroupFacts {
  const g = w.group;
  return sampleGroup({
    active: g.active,
    epoch: g.epoch,
    mode: g.mode,
    modeChangedAgeMs: age(w, g.modeChangedAtMs),
    pause: g.paused ? { owner: 'ann', reason: 'maintenance', expiresInMs: 3_600_000 } : null,
    unpausedAgeMs: age(w, g.unpausedAtMs),
    frozen: g.frozen,
    noSagaOpenAgeMs: noSagaOpenAgeMs(w),
    openSaga: g.sagaOpenSinceMs === null ? null : { id: 'saga-1', openForMs: w.now - g.sagaOpenSinceMs },
    lastPublishedAuto:
      g.publishedAtMs === null ? null : { ageMs: w.now - g.publishedAtMs, acknowledged: g.acknowledged },
    lastPublishedSagaAgeMs: age(w, g.publishedAtMs),
    lastUnpublishedClose:
      g.closedUnpublished === null
        ? null
        : {
            ageMs: w.now - g.closedUnpublished.atMs,
            attempts: g.closedUnpublished.attempts,
            outcome: g.closedUnpublished.outcome,
          },
    flapsAcknowledgedAgeMs: age(w, g.flapsAcknowledgedAtMs),
    lossAcceptance:
      g.acceptLoss === null
        ? null
        : {
            by: 'ann',
            maxRecords: g.acceptLoss.records,
            maxMs: g.acceptLoss.durationMs,
            expiresInMs: g.acceptLoss.untilMs - w.now,
          },
    rejoin: g.rejoin,
    armed: Object.fromEntries(g.armed.map((c) => [c, true])),
    proposal: g.proposal === null ? null : proposalOf(w, g.proposal),
  });
}

function observersOf(w: World): readonly Observer[] {
  return w.scenario.observers.map((o) => ({
    agent: o.agent,
    idc: o.idc,
    ageMs: age(w, w.heard[o.idc]?.receivedAtMs ?? null),
    selfHealthy: w.heard[o.idc]?.selfHealthy ?? true,
    goodbyeAgeMs: age(w, w.goodbyeAtMs[o.idc] ?? null),
  }));
}

function votesOf(w: World): Snapshot['votes'] {
  const on = (cluster: string): Snapshot['votes'][string] =>
    Object.fromEntries(
      w.scenario.observers.map((o) => {
        const heard = w.heard[o.idc];
        const report = heard?.reports[cluster] ?? null;
        return [o.agent, ageReport(o.agent, report, age(w, heard?.receivedAtMs ?? null), w.scenario.probe)];
      }),
    );
  return Object.fromEntries(w.clusters.map((c) => [c.name, on(c.name)]));
}

const purgedGap = (records: number): SilentGap => ({
  topic: 'orders',
  partition: 0,
  kind: 'purged',
  records,
  downstream: null,
  ageMs: 0, // still growing: an acknowledgement is never younger
});

function flowsOf(w: World): readonly SnapshotFlow[] {
  const target = w.clusters.find((c) => c.name !== w.group.active);
  if (target === undefined) return [];
  const unknown = w.lag.records === null && w.lag.ms === null && w.lag.heartbeatAgeMs === null;
  const { dedicated } = w.connector;
  return [
    {
      ...(dedicated === undefined ? {} : { dedicated }),
      ...sampleFlow({
        from: w.group.active,
        to: target.name,
        lagRecords: w.lag.records,
        lagMs: w.lag.ms,
        heartbeatAgeMs: w.lag.heartbeatAgeMs,
        observedAgeMs: unknown ? null : w.now - w.sourceEndSeenAtMs,
        sourceConnector: w.connector.state ?? 'RUNNING',
        ...(w.connector.purged === undefined ? {} : { gaps: [purgedGap(w.connector.purged)] }),
      }),
    },
  ];
}

/** The snapshot of the simulated world at `w.now`, built the way a controller builds its own. */
export function buildSnapshot(w: World): Snapshot {
  const survivors = w.clusters.map((c) => c.idc);
  return {
    now: w.now,
    wallNow: WALL_START_MS + (w.now - START_MS),
    leading: w.leading,
    term: w.term,
    graceOver: graceOver(w),
    group: groupOf(w),
    observers: observersOf(w),
    votes: votesOf(w),
    flows: flowsOf(w),
    fences: Object.entries(w.fences).map(([cluster, state]) => ({
      cluster,
      state,
      kind: 'topic-config',
      epoch: w.group.epoch,
      ageMs: 1_000,
    })),
    clusterSettings: {
      [w.group.active]: {
        brokerSessionTimeoutMs: w.brokers.sessionTimeoutMs ?? 9_000,
        electionTimeoutMs: w.brokers.electionTimeoutMs ?? 1_000,
      },
    },
    flowSettings: w.clusters.flatMap((from) =>
      w.clusters
        .filter((to) => to.name !== from.name)
        .map((to) => ({
          from: from.name,
          to: to.name,
          syncsTopicAcls: w.connector.syncsTopicAcls ?? false,
          excludesMaxMessageBytes: w.connector.excludesMaxMessageBytes ?? true,
          foreignTopics: w.connector.foreignTopics ?? [],
        })),
    ),
    configCenter:
      w.center === 'ok' ? { writableAgeMs: 2_000, error: null } : { writableAgeMs: 60_000, error: w.center },
    policyDigests: w.digests,
    placement: {
      storeSurvives: w.placement.store ?? survivors,
      configCenterSurvives: w.placement.center ?? survivors,
    },
    probe: w.scenario.probe,
    memory: w.memory,
  };
}

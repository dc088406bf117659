import type { Ms } from '#health';
import type { GroupFacts, Proposal, ProposalFacts, ScheduledFacts, ScheduledSwitch } from '#failover';
import type { GroupConfig } from '../config/compile.js';
import type { FleetRow, GroupRow, PauseRow } from '../persistence/authority-store.port.js';
import type { HandAges } from './hand-watch.js';

/**
 * A group's row as the decision sees it: ages instead of instants, expired things gone. Only cool-downs, retries and
 * expiries are by the wall clock; `ages`, which windows rest on, are not.
 * @param row null before the store was read, or before the group was created: as configured, at epoch 0
 */
export function groupFacts(
  config: GroupConfig,
  row: GroupRow | null,
  fleet: FleetRow,
  openSaga: GroupFacts['openSaga'],
  ages: HandAges & Readonly<{ noSagaMs: Ms | null }>,
  wallMs: number,
): GroupFacts {
  const age = (at: string | null | undefined): number | null =>
    at === null || at === undefined ? null : Math.max(0, wallMs - Date.parse(at));
  const leftMs = (at: string): number => Date.parse(at) - wallMs;
  const first = config.clusters[0];
  if (first === undefined) throw new Error(`group ${config.name} has no cluster`);
  const publishedAutoMs = age(row?.lastPublishedAutoAt);
  const acknowledgedMs = age(row?.acknowledgedAt);
  return {
    name: config.name,
    clusters: config.clusters.map(({ name, idc }) => ({ name, idc })),
    active: row?.active ?? first.name,
    epoch: row?.epoch ?? 0,
    mode: row !== null && row.modeChangedAt !== null ? row.mode : config.mode,
    modeChangedAgeMs: ages.modeChangedMs,
    pause: pauseFacts(row?.pause ?? null, fleet.pause, wallMs),
    unpausedAgeMs: ages.unpausedMs,
    frozen: row?.frozen ?? null,
    openSaga,
    noSagaOpenAgeMs: ages.noSagaMs,
    lastPublishedAuto:
      publishedAutoMs === null
        ? null
        : { ageMs: publishedAutoMs, acknowledged: acknowledgedMs !== null && acknowledgedMs <= publishedAutoMs },
    lastPublishedSagaAgeMs: ages.publishedSagaMs,
    lastUnpublishedClose:
      row?.lastUnpublishedClose == null
        ? null
        : {
            ageMs: age(row.lastUnpublishedClose.at) ?? 0,
            attempts: row.lastUnpublishedClose.attempts,
            outcome: row.lastUnpublishedClose.outcome,
          },
    flapsAcknowledgedAgeMs: acknowledgedMs,
    lossAcceptance:
      row?.lossAcceptance != null && leftMs(row.lossAcceptance.expiresAt) > 0
        ? {
            by: row.lossAcceptance.by,
            maxRecords: row.lossAcceptance.maxRecords,
            maxMs: row.lossAcceptance.maxMs,
            expiresInMs: leftMs(row.lossAcceptance.expiresAt),
          }
        : null,
    rejoin: row?.rejoin ?? [],
    armed: {},
    proposal: row?.proposal == null ? null : proposalFacts(row.proposal, wallMs),
    scheduled: row?.scheduled == null ? null : scheduledFacts(row.scheduled, wallMs),
  };
}

/** The group's own pause or that of everything: the one that ends last, for both must be over. */
function pauseFacts(own: PauseRow | null, all: PauseRow | null, wallMs: number): GroupFacts['pause'] {
  const pauses = [own, all].flatMap((pause, i) => {
    const expiresInMs = pause === null ? 0 : Date.parse(pause.expiresAt) - wallMs;
    if (pause === null || expiresInMs <= 0) return [];
    return [{ owner: pause.owner, reason: pause.reason, expiresInMs, ...(i === 0 ? {} : { everywhere: true }) }];
  });
  return pauses.toSorted((x, y) => y.expiresInMs - x.expiresInMs)[0] ?? null;
}

export function scheduledFacts({ request, ...scheduled }: ScheduledSwitch, wallMs: number): ScheduledFacts {
  const { id, act, target, at, epoch } = scheduled;
  const { by, reason } = request;
  return { id, act, target, at, epoch, by, reason, dueInMs: Date.parse(at) - wallMs };
}

/** A proposal with ages instead of instants; its expiry is by the wall clock, as of every promise to people. */
export function proposalFacts(proposal: Proposal, wallMs: number): ProposalFacts {
  const { id, origin, act, state, condition, source, target, epoch, after, needed, closed } = proposal;
  return {
    ...{ id, origin, act, state, condition, source, target, epoch, after, needed },
    approvedBy: proposal.approvals.map((a) => a.identity),
    expiresInMs: Date.parse(proposal.expiresAt) - wallMs,
    closedAgeMs: closed === null ? null : Math.max(0, wallMs - Date.parse(closed.at)),
  };
}

import type { Ms } from '#health';
import { selfFenceView } from '../fencing/self-fence.js';
import { conditionOf } from '../proposal/proposal.js';
import type { BlockerByHand } from './by-hand.js';
import type { ActionName, Blocker, BlockerName } from './facts.js';
import type { LagJudgement } from './lag.js';
import { FLAP_MEMORY_MS } from './remember.js';
import type { Situation } from './situation.js';

/** `lag` is the lag as of t0 for an acting row, the lag of now for readiness; `wanted` is what an acting row wants. */
export type BlockerQuestion = Readonly<{ situation: Situation; lag: LagJudgement; wanted?: ActionName }>;

/** A named reason that forbids an otherwise due action. `found` answers with the detail, or null. */
export type BlockerRule = Readonly<{
  name: BlockerName;
  when: string; // for the generated document
  found: (q: BlockerQuestion) => string | null;
  byHand: BlockerByHand; // what a person's order may do about it
  liftedBy: (q: BlockerQuestion) => string;
}>;

/** Waits after a saga that closed before publish; then a person must look. */
export const RETRY_AFTER_MS: readonly Ms[] = [5_000, 15_000, 30_000];
/** Each controller writes a canary each 10 s; two missed ones are a failure. */
export const WRITABLE_MAX_AGE_MS: Ms = 25_000;
/** Shown where nothing shorter is known to suffice. */
const LOSS_MINUTES = 10;
/** Returns from DOWN_* within 10 min that block. */
export const FLAPS_BLOCK = 4;

const seconds = (ms: Ms): string => `${(ms / 1000).toFixed(1)} s`;
const groupOf = ({ situation }: BlockerQuestion): string => situation.snapshot.group.name;

const acceptLoss = (q: BlockerQuestion, limit: string): string =>
  `pointsman accept-loss ${groupOf(q)} ${limit} --expires-in 30m --reason "…", or policy graceWithDataLoss: true`;

/** A person's acceptance counts up to its limits and its expiry; unknown lag needs one without a record limit. */
function lossAccepted({ situation: { snapshot, policy }, lag }: BlockerQuestion): boolean {
  if (policy.graceWithDataLoss) return true;
  const given = snapshot.group.lossAcceptance;
  if (given === null || given.expiresInMs <= 0) return false;
  if (lag.basis === 'unknown') return given.maxRecords === null;
  if (lag.records !== null && given.maxRecords !== null) return lag.records <= given.maxRecords;
  return given.maxMs !== null && (lag.ageMs ?? Infinity) <= given.maxMs;
}

/** The smallest limit that lifts it, in the unit that is known. */
const limitFor = ({ records, ageMs }: LagJudgement): string =>
  records !== null
    ? `--max-records ${records}`
    : `--max-duration ${Math.max(LOSS_MINUTES, Math.ceil((ageMs ?? 0) / 60_000))}m`;

/** `passes`: by time too, not only by a person. */
type Cooldown = Readonly<{ says: string; passes: boolean }>;

function cooldown({ situation: { snapshot, policy } }: BlockerQuestion): Cooldown | null {
  const { lastPublishedAuto: published, lastUnpublishedClose: closed } = snapshot.group;
  if (published !== null && !published.acknowledged && published.ageMs < policy.cooldownMs) {
    const says = `automatic failover ${seconds(published.ageMs)} ago, cool-down ${seconds(policy.cooldownMs)}`;
    return { says, passes: true };
  }
  const acknowledged = snapshot.group.flapsAcknowledgedAgeMs;
  if (closed === null || closed.attempts === 0 || (acknowledged !== null && acknowledged <= closed.ageMs)) return null;
  const wait = RETRY_AFTER_MS[closed.attempts - 1];
  if (wait === undefined) {
    const says = `${closed.attempts} sagas closed before publish (${closed.outcome}): a person must look`;
    return { says, passes: false };
  }
  if (closed.ageMs >= wait) return null;
  return { says: `last saga closed ${closed.outcome}, retried after ${seconds(wait)}`, passes: true };
}

function notPublishable({ situation: { snapshot } }: BlockerQuestion): string | null {
  const { writableAgeMs, error } = snapshot.configCenter;
  if (error !== null) return `write canary fails: ${error}`;
  // A controller that has just started has written none yet; only of the leader, which would publish, that is a reason.
  if (writableAgeMs === null) return snapshot.leading ? 'the write canary has not succeeded yet' : null;
  return writableAgeMs > WRITABLE_MAX_AGE_MS ? `last good write canary ${seconds(writableAgeMs)} ago` : null;
}

function windowTooShort({ situation: { snapshot, policy, source } }: BlockerQuestion): string | null {
  const settings = snapshot.clusterSettings[source.name];
  if (settings?.brokerSessionTimeoutMs == null) return null;
  const needed = settings.brokerSessionTimeoutMs + (settings.electionTimeoutMs ?? 0);
  if (policy.windows.serviceMs >= needed) return null;
  return `serviceWindow ${seconds(policy.windows.serviceMs)} is below session time-out + election ${seconds(needed)}`;
}

function fenceWouldCopy({ situation: { snapshot, source } }: BlockerQuestion): string | null {
  const flows = snapshot.flowSettings.filter((f) => f.from === source.name);
  if (flows.some((f) => f.syncsTopicAcls === true)) return 'MM2 syncs topic ACLs';
  return flows.some((f) => f.excludesMaxMessageBytes === false) ? 'max.message.bytes is not excluded from MM2' : null;
}

function notSurvivable({ situation: { snapshot, source } }: BlockerQuestion): string | null {
  const { storeSurvives, configCenterSurvives } = snapshot.placement;
  const lost = [
    ...(storeSurvives.includes(source.idc) ? [] : ['the store']),
    ...(configCenterSurvives.includes(source.idc) ? [] : ['the authoritative config center']),
  ];
  return lost.length === 0 ? null : `${lost.join(' and ')} would lose the write quorum with IDC ${source.idc}`;
}

function foreignTopics({ situation: { snapshot } }: BlockerQuestion): string | null {
  const topics = snapshot.flowSettings.flatMap((f) => f.foreignTopics);
  return topics.length === 0 ? null : `a connector reaches ${topics.slice(0, 5).join(', ')} outside the group`;
}

/** It would append the old side's tail 0.1 s after that answers again, behind what was written on the new one. */
function dedicatedFlows({ situation: { snapshot } }: BlockerQuestion): string | null {
  const flows = snapshot.flows.filter((f) => f.dedicated === true).map((f) => `${f.from} → ${f.to}`);
  return flows.length === 0
    ? null
    : `${flows.join(' and ')}: carried by a dedicated MirrorMaker process, which only a person can stop`;
}

/** In mode observe nothing is ever armed, and nothing acts: saying it there would hide what can be mended. */
function notArmed({ situation: { policy, snapshot, target, fitness } }: BlockerQuestion): string | null {
  if (snapshot.group.mode === 'observe') return null;
  const view = selfFenceView(snapshot, { target: target?.name ?? null, targetFit: fitness }, policy);
  return view === null || view.armed ? null : view.says;
}

function flapping({ situation: { memory, snapshot } }: BlockerQuestion): string | null {
  const returns = memory.recoveriesAtMs.filter((at) => at > snapshot.now - FLAP_MEMORY_MS).length;
  return returns < FLAPS_BLOCK ? null : `came back from down ${returns} times in 10 min`;
}

/** A person said no, or nobody said anything: that is an answer until the condition was gone, or for a while. */
function proposalClosed({ situation: { snapshot, policy, verdict }, wanted }: BlockerQuestion): string | null {
  const { proposal } = snapshot.group;
  // A no to what a person asked for was no answer to the matrix.
  if (wanted !== 'propose' || proposal?.closedAgeMs == null || proposal.origin !== 'matrix') return null;
  if (proposal.state !== 'rejected' && proposal.state !== 'expired') return null;
  if (proposal.condition !== conditionOf(verdict.name) || proposal.closedAgeMs >= policy.proposal.againMs) return null;
  return `proposal ${proposal.id} was ${proposal.state} ${seconds(proposal.closedAgeMs)} ago`;
}

export const BLOCKERS: readonly BlockerRule[] = [
  {
    name: 'LAG_OVER_BUDGET',
    when: 'lag as of t0 above maxRpo (records; seconds only while records are unknown)',
    found: (q) => (q.lag.over && !lossAccepted(q) ? `lag ${q.lag.text}` : null),
    byHand: 'accept-loss',
    liftedBy: (q) => acceptLoss(q, limitFor(q.lag)),
  },
  {
    name: 'LAG_UNKNOWN',
    when: 'no lag sample young enough at t0',
    found: (q) => (q.lag.basis === 'unknown' && !lossAccepted(q) ? q.lag.text : null),
    byHand: 'accept-loss',
    liftedBy: (q) => acceptLoss(q, `--max-duration ${LOSS_MINUTES}m`),
  },
  {
    name: 'TARGET_NOT_FIT',
    when: 'T is not found ready by its own agent and a witness, or is rejoining',
    found: ({ situation: { fitness } }) => (fitness.fit ? null : fitness.reasons.join('; ')),
    byHand: 'override-rejoining',
    liftedBy: ({ situation: { target, source, snapshot } }) =>
      target !== null && snapshot.group.rejoin.includes(target.name)
        ? `the rejoin of ${target.name} is finished, or ${source.name} recovers; or pointsman failover ${snapshot.group.name} --override TARGET_NOT_FIT …, which loses all that was written to ${source.name} since the last switch`
        : `${target?.name ?? 'the target'} recovers, or ${source.name} does`,
  },
  {
    name: 'NOT_PUBLISHABLE',
    when: "the authoritative config center's write canary (each 10 s) fails; the source is then not fenced either",
    found: notPublishable,
    byHand: 'never',
    liftedBy: () => 'the config center accepts writes again',
  },
  {
    name: 'COOLDOWN',
    when: 'less than cooldown since the last automatic failover that published, not acknowledged; or a saga that closed before publish is not yet due again (5, 15, 30 s, then a person)',
    found: (q) => cooldown(q)?.says ?? null,
    byHand: 'override',
    liftedBy: (q) => `pointsman ack ${groupOf(q)} --reason "…"${cooldown(q)?.passes === true ? ', or time' : ''}`,
  },
  {
    name: 'FLAPPING',
    when: 'S came back from DOWN_* at least 4 times in 10 min (twice doubles the windows, at most ×4)',
    found: flapping,
    byHand: 'override',
    liftedBy: (q) => `pointsman ack ${groupOf(q)} --reason "…"`,
  },
  {
    name: 'WINDOW_TOO_SHORT',
    when: "serviceWindow below S's broker session time-out + election, read by DescribeConfigs",
    found: windowTooShort,
    byHand: 'not-asked',
    liftedBy: () => 'lengthen policy.windows.service',
  },
  {
    name: 'NOT_ARMED',
    when: 'strict fencing, but S\'s agent had not confirmed "self-fence armed", or may have died before S; not asked in mode observe',
    found: notArmed,
    byHand: 'override',
    liftedBy: ({ situation: { source } }) =>
      `the agent of ${source.name} confirms its self-fence, or a person sets policy fencing: best-effort`,
  },
  {
    name: 'FENCE_WOULD_COPY',
    when: 'MM2 syncs ACLs, or max.message.bytes is not excluded',
    found: fenceWouldCopy,
    byHand: 'never',
    liftedBy: () =>
      'mend the connector: sync.topic.acls.enabled=false, config.properties.exclude with max.message.bytes',
  },
  {
    name: 'FLOW_NOT_DISJOINT',
    when: "a connector of the group's flow reaches topics outside the group",
    found: foreignTopics,
    byHand: 'never',
    liftedBy: () => "mend the connector's topics",
  },
  {
    name: 'FLOW_NOT_STEERABLE',
    when: 'a dedicated MirrorMaker process carries a flow of the group: it has no REST interface, so nobody but a person can stop it',
    found: dedicatedFlows,
    byHand: 'never',
    liftedBy: () =>
      'run the connectors on a Connect worker; until then move by hand: stop the process where it runs (systemctl stop, or kill -TERM of the java process org.apache.kafka.connect.mirror.MirrorMaker), then docs/dedicated-mirrormaker.md',
  },
  {
    name: 'STORE_NOT_SURVIVABLE',
    when: "by declared placement, store or authoritative config center loses its write quorum with S's IDC",
    found: notSurvivable,
    byHand: 'override',
    liftedBy: () => 'move it to an IDC that survives, and declare it under survives',
  },
  {
    name: 'CONFIG_DRIFT',
    when: 'live controllers run with different policy digests',
    found: ({ situation: { snapshot } }) => {
      const entries = Object.entries(snapshot.policyDigests);
      if (new Set(entries.map(([, digest]) => digest)).size <= 1) return null;
      return entries.map(([id, digest]) => `${id} ${digest.slice(0, 8)}`).join(', ');
    },
    byHand: 'override',
    liftedBy: () => 'give all controllers the same configuration and reload',
  },
  {
    name: 'PROPOSAL_CLOSED',
    when: 'the proposal about this condition was rejected, or expired, less than proposal.again ago',
    found: proposalClosed,
    byHand: 'not-asked',
    liftedBy: ({ situation: { policy } }) =>
      `the condition ends, or time: proposed again ${seconds(policy.proposal.againMs)} after it was closed`,
  },
];

/** All that are found, in the table's order; every one is reported, not only the first. */
export function findBlockers(names: readonly BlockerName[], q: BlockerQuestion): readonly Blocker[] {
  return BLOCKERS.flatMap((rule) => {
    if (!names.includes(rule.name)) return [];
    const detail = rule.found(q);
    return detail === null ? [] : [{ name: rule.name, detail, liftedBy: rule.liftedBy(q) }];
  });
}

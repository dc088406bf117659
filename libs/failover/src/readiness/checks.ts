import type { Ms } from '#health';
import { connectorLines, topicLines } from './compare.js';
import type { Check, Finding, ReadinessLevel } from './types.js';

const HEARTBEAT_OLD_MS: Ms = 30_000;
const CANARY_OLD_MS: Ms = 25_000;
const REBALANCE_DELAY_LONG_MS: Ms = 1_000;

const ok = (what: string): readonly Finding[] => [{ level: 'ok', what }];
const bad = (level: ReadinessLevel, what: string, fix: string): readonly Finding[] => [{ level, what, fix }];
const seconds = (ms: Ms): string => `${(ms / 1_000).toFixed(1)} s`;

export const CHECKS: readonly Check[] = [
  {
    // Whatever the matrix would be held up by: target not fit, lag over budget or unknown, drift, placement, ...
    id: 'failover-blocked',
    look: ({ decision }) =>
      decision.blockers.length === 0
        ? ok('nothing would hold up a failover')
        : decision.blockers.map((b) => ({ level: 'blocker', what: `${b.name}: ${b.detail}`, fix: b.liftedBy })),
  },
  {
    id: 'config-center-writable',
    look: ({ snapshot: { configCenter } }) => {
      const { writableAgeMs, error } = configCenter;
      const fix = 'mend the authoritative config center, or name another first in publishTo';
      if (error !== null) return bad('blocker', `the config center does not take writes: ${error}`, fix);
      if (writableAgeMs === null) return bad('unknown', 'no write to the config center was tried yet', 'wait 10 s');
      if (writableAgeMs > CANARY_OLD_MS) return bad('blocker', `last write ${seconds(writableAgeMs)} ago`, fix);
      return ok(`the config center took a write ${seconds(writableAgeMs)} ago`);
    },
  },
  {
    id: 'flow-running',
    look: (_, { forward, active, standby }) => {
      if (forward === null)
        return bad('unknown', `nobody has seen the flow ${active} to ${standby}`, 'give an agent connectUrl');
      const { sourceConnector, checkpointConnector } = forward;
      const named = `source ${sourceConnector}, checkpoint ${checkpointConnector}`;
      if (sourceConnector === 'UNKNOWN' || checkpointConnector === 'UNKNOWN')
        return bad('unknown', `connectors of ${active} to ${standby}: ${named}`, 'look at the Connect worker');
      if (sourceConnector !== 'RUNNING')
        return bad(
          'blocker',
          `${active} to ${standby} does not copy: ${named}`,
          'start the source connector; its trace is in Connect',
        );
      if (checkpointConnector !== 'RUNNING')
        return bad(
          'warn',
          `no checkpoints from ${active} to ${standby}: ${named}`,
          'start the checkpoint connector: without it groups begin at the earliest record',
        );
      return ok(`${active} to ${standby} copies records and positions`);
    },
  },
  {
    id: 'flow-alive',
    look: (_, { forward }) => {
      if (forward === null) return [];
      if (forward.heartbeatAgeMs === null)
        return bad('unknown', 'no heartbeat of the flow was seen', 'run the heartbeat connector of this direction');
      if (forward.heartbeatAgeMs > HEARTBEAT_OLD_MS)
        return bad('warn', `last heartbeat ${seconds(forward.heartbeatAgeMs)} ago`, 'look at the worker and its tasks');
      return ok(`heartbeat ${seconds(forward.heartbeatAgeMs)} ago`);
    },
  },
  {
    // An idle direction that is missing must be made in the worst hour; one that runs is an endless loop under Identity.
    id: 'way-back-prepared',
    look: (_, { back, active, standby }) => {
      if (back === null || back.sourceConnector === 'UNKNOWN')
        return bad('unknown', `nobody has seen the flow ${standby} to ${active}`, 'configure both flows of the group');
      if (back.sourceConnector === 'ABSENT')
        return bad(
          'warn',
          `${standby} to ${active} does not exist`,
          'create its connectors beforehand, in state STOPPED',
        );
      if (back.sourceConnector === 'STOPPED') return ok(`${standby} to ${active} exists and is STOPPED`);
      const level = back.naming === 'identity' ? 'blocker' : 'warn';
      return bad(level, `${standby} to ${active} is ${back.sourceConnector}`, 'stop it: PUT /connectors/<name>/stop');
    },
  },
  {
    // The copy can never be ahead of its source: then the source was purged, made anew or cut, and offsets mean nothing.
    id: 'silent-gap',
    look: (_, { forward }) => {
      const gaps = (forward?.perPartition ?? []).filter(
        (p) => p.sourceEnd !== null && p.replicated !== null && p.replicated > p.sourceEnd,
      );
      if (gaps.length === 0) return [];
      const named = gaps.slice(0, 5).map((p) => `${p.topic}-${p.partition}`);
      return bad(
        'blocker',
        `${gaps.length} partitions are replicated further than their source goes: ${named.join(', ')}`,
        'the source topic was made anew or cut: compare both, then seed the connector anew',
      );
    },
  },
  {
    id: 'fence-copied',
    look: (_, { forwardSettings: flow }) => {
      if (flow === null || flow.syncsTopicAcls === null)
        return bad('unknown', 'the connector configuration was not read', 'give an agent connectUrl');
      if (flow.syncsTopicAcls)
        return bad(
          'blocker',
          'MirrorMaker copies topic ACLs: a fence would close the standby too',
          'sync.topic.acls.enabled=false',
        );
      if (flow.excludesMaxMessageBytes === false)
        return bad(
          'blocker',
          'MirrorMaker copies max.message.bytes: a fence would close the standby too',
          'add max.message.bytes to config.properties.exclude',
        );
      return ok('MirrorMaker copies no fence');
    },
  },
  {
    id: 'foreign-topics',
    look: ({ snapshot }) => {
      const topics = snapshot.flowSettings.flatMap((f) => f.foreignTopics);
      if (topics.length === 0) return [];
      return bad(
        'blocker',
        `a connector reaches ${topics.slice(0, 5).join(', ')} outside the group`,
        "narrow the connector's topics",
      );
    },
  },
  {
    id: 'fence-offered',
    look: (_, sides) =>
      [sides.active, sides.standby].flatMap((cluster): readonly Finding[] => {
        const fencing = sides.settings(cluster)?.fencing;
        if (cluster === null || fencing === undefined)
          return bad('unknown', `what fences ${cluster ?? '?'} offers was not looked at`, 'run an agent in its IDC');
        const best = fencing.offers.find((o) => o.usable);
        if (best === undefined)
          return bad(
            'warn',
            `${cluster} offers no fence: ${fencing.offers.map((o) => o.reason).join('; ')}`,
            'an authorizer with deny by default, or a hook',
          );
        const weak = fencing.authorizer === true && fencing.denyByDefault === false;
        if (weak)
          return bad(
            'warn',
            `${cluster}: any ACL would also cut reads (allow.everyone.if.no.acl.found)`,
            'set allow.everyone.if.no.acl.found=false and grant what applications need',
          );
        return ok(`${cluster} can be fenced by ${best.kind}`);
      }),
  },
  {
    id: 'standby-fenced',
    look: ({ snapshot }, { standby, settings }) => {
      const acl = settings(standby)?.fencing?.offers.some((o) => o.usable && o.kind === 'acl') === true;
      const fence = snapshot.fences.find((f) => f.cluster === standby);
      if (!acl || fence === undefined || fence.state === 'fenced') return [];
      return bad(
        'warn',
        `${standby} is ${fence.state} to applications, though ACLs could close it`,
        'a stray writer there would be lost or doubled: fence it',
      );
    },
  },
  {
    id: 'observers',
    look: ({ snapshot }) => {
      const silent = snapshot.observers.filter((o) => o.ageMs === null || o.ageMs > snapshot.probe.periodMs * 5);
      if (silent.length === 0) return ok(`${snapshot.observers.length} observers report`);
      return bad(
        'warn',
        `silent observers: ${silent.map((o) => o.agent).join(', ')}`,
        'start them: fewer observers decide nothing',
      );
    },
  },
  {
    id: 'rebalance-delay',
    look: (_, { standby, settings }) => {
      const delayMs = settings(standby)?.initialRebalanceDelayMs ?? null;
      if (delayMs === null)
        return bad(
          'unknown',
          `group.initial.rebalance.delay.ms of ${standby} is not known`,
          'set it to 0 on the standby: Kafka waits 3 s',
        );
      if (delayMs > REBALANCE_DELAY_LONG_MS)
        return bad(
          'warn',
          `consumers wait ${seconds(delayMs)} for their first rebalance on ${standby}`,
          'group.initial.rebalance.delay.ms=0',
        );
      return ok(`first rebalance on ${standby} after ${seconds(delayMs)}`);
    },
  },
  {
    id: 'consumer-positions',
    look: ({ consumerGroups, consumers }, { active, standby }) =>
      consumerGroups.flatMap((group): readonly Finding[] => {
        const known = (c: string | null) =>
          consumers.some((x) => x.cluster === c && x.consumerGroup === group && x.lagRecords !== null);
        if (!known(active)) return [];
        if (known(standby)) return ok(`${group} has a position on ${standby}`);
        return bad(
          'warn',
          `${group} has no position on ${standby}`,
          'sync.group.offsets.enabled=true, or it is set at the failover from the syncs history',
        );
      }),
  },
  {
    id: 'client-settings',
    look: ({ clients }) => {
      if (clients === null) return bad('unknown', 'client reports could not be read', 'look at the config center');
      const distinct = [...new Set(clients.warnings)].slice(0, 20);
      return distinct.map((what) => ({ level: 'warn', what, fix: 'change it in the service' }));
    },
  },
  { id: 'topics-equal', look: (_, sides) => topicLines(sides) },
  { id: 'connector-config', look: (_, sides) => connectorLines(sides) },
];

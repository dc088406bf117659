import type { Ms } from '#health';
import { connectorFailureText } from '../matrix/connector-failure.js';
import { CHECKPOINTS_EVERY_S } from './connector-rules.js';
import { bad, ok, seconds, some } from './finding.js';
import { gapLines } from './silent-gaps.js';
import { sizeRetentionLines } from './size-retention.js';
import type { Check } from './types.js';

const HEARTBEAT_OLD_MS: Ms = 30_000;
const CHECKPOINT_OLD_MS: Ms = 60_000;
/** A consumer group that committed within it is at work. */
const MOVING_WITHIN_MS: Ms = 60_000;

/** Whether the copy is alive, whole, and may be trusted with a fence. */
export const FLOW_CHECKS: readonly Check[] = [
  {
    id: 'flow-running',
    look: (_, { forward, active, standby }) => {
      if (forward === null)
        return bad('unknown', `nobody has seen the flow ${active} to ${standby}`, 'give an agent connectUrl');
      const { sourceConnector, checkpointConnector, failures = [] } = forward;
      const states = `source ${sourceConnector}, checkpoint ${checkpointConnector}`;
      const named = [states, ...failures.map(connectorFailureText)].join('; ');
      if (sourceConnector === 'UNKNOWN' || checkpointConnector === 'UNKNOWN')
        return bad('unknown', `connectors of ${active} to ${standby}: ${named}`, 'look at the Connect worker');
      if (sourceConnector !== 'RUNNING')
        return bad('blocker', `${active} to ${standby} does not copy: ${named}`, 'start the source connector');
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
      if (back.sourceConnector === 'STOPPED' && back.checkpointConnector === 'STOPPED')
        return ok(`${standby} to ${active} exists and is STOPPED`);
      if (back.sourceConnector === 'STOPPED')
        return bad(
          'warn',
          `${standby} to ${active}: checkpoint connector ${back.checkpointConnector}`,
          'create it beforehand, and stop it: it would set positions of consumer groups',
        );
      const level = back.naming === 'identity' ? 'blocker' : 'warn';
      return bad(level, `${standby} to ${active} is ${back.sourceConnector}`, 'stop it: PUT /connectors/<name>/stop');
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
    // MirrorMaker writes a checkpoint only where a position moved: an old one says something only while a group is at work.
    id: 'checkpoint-age',
    look: ({ consumers }, { forward, active, forwardSettings }) => {
      const moving = consumers
        .filter((c) => c.cluster === active && (c.committedAgeMs ?? Infinity) <= MOVING_WITHIN_MS)
        .map((c) => c.consumerGroup);
      if (forward === null || moving.length === 0) return [];
      const intervalS = Number(forwardSettings?.connectorConfig?.[CHECKPOINTS_EVERY_S] ?? 0);
      const fix = 'look at the checkpoint connector, its `groups`, and emit.checkpoints.interval.seconds';
      if (forward.checkpointAgeMs === undefined)
        return bad('unknown', `${some(moving)} move, and no checkpoint was seen to arrive yet`, fix);
      if (forward.checkpointAgeMs > Math.max(CHECKPOINT_OLD_MS, intervalS * 3_000))
        return bad('warn', `${some(moving)} move, the last checkpoint is ${seconds(forward.checkpointAgeMs)} old`, fix);
      return ok(`last checkpoint ${seconds(forward.checkpointAgeMs)} ago`);
    },
  },
  {
    id: 'retention-over-lag',
    look: (_, { forward, active, settings }) => {
      const limited = (settings(active)?.topics ?? []).flatMap((t) =>
        t.retentionMs === null || t.retentionMs < 0 ? [] : [{ topic: t.topic, ms: t.retentionMs }],
      );
      const shortest = limited.toSorted((x, y) => x.ms - y.ms)[0];
      const lagMs = forward?.lagMs ?? null;
      if (shortest === undefined || lagMs === null) return [];
      const said = `${shortest.topic} keeps records for ${seconds(shortest.ms)}, the copy is ${seconds(lagMs)} behind`;
      const fix = `raise retention.ms of ${shortest.topic} on ${active} until the copy has caught up`;
      if (lagMs >= shortest.ms) return bad('blocker', `${said}: records are removed before they are copied`, fix);
      return lagMs >= shortest.ms / 2 ? bad('warn', said, fix) : ok(said);
    },
  },
  { id: 'retention-bytes-over-lag', look: (_, sides) => sizeRetentionLines(sides) },
  { id: 'silent-gap', look: (_, sides) => gapLines(sides) },
];

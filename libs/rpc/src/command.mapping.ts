import type { Command, CommandBody, CommandOutput, CommandResult, ConsumerGroupState } from '#failover';
import * as pb from './generated/pointsman/agent/v1/agent.js';
import { translateFromWire, translateToWire, translatedFromWire, translatedToWire } from './offsets.mapping.js';
import {
  rebuildCommandFromWire,
  rebuildCommandToWire,
  rebuildOutputFromWire,
  rebuildOutputToWire,
} from './rebuild.mapping.js';
import { tailCommandFromWire, tailCommandToWire, tailOutputFromWire, tailOutputToWire } from './tail.mapping.js';
import {
  transactionCommandFromWire,
  transactionCommandToWire,
  transactionOutputFromWire,
  transactionOutputToWire,
} from './transactions.mapping.js';
import { durationFromWire, enumCodec, orNull, orUndefined } from './wire.js';

const principal = enumCodec<'agent' | 'ordinary'>({
  agent: pb.CanaryPrincipal.CANARY_PRINCIPAL_AGENT,
  ordinary: pb.CanaryPrincipal.CANARY_PRINCIPAL_ORDINARY,
});

type FailureCode = Extract<CommandResult, { ok: false }>['code'];
const failureCode = enumCodec<FailureCode>({
  refused_term: pb.CommandFailureCode.COMMAND_FAILURE_CODE_REFUSED_TERM,
  refused_epoch: pb.CommandFailureCode.COMMAND_FAILURE_CODE_REFUSED_EPOCH,
  expired: pb.CommandFailureCode.COMMAND_FAILURE_CODE_EXPIRED,
  unavailable: pb.CommandFailureCode.COMMAND_FAILURE_CODE_UNAVAILABLE,
  unsupported: pb.CommandFailureCode.COMMAND_FAILURE_CODE_UNSUPPORTED,
  failed: pb.CommandFailureCode.COMMAND_FAILURE_CODE_FAILED,
});

const via = enumCodec<'connect' | 'topic'>({
  connect: pb.PositionSource.POSITION_SOURCE_CONNECT,
  topic: pb.PositionSource.POSITION_SOURCE_TOPIC,
});

const groupState = enumCodec<ConsumerGroupState>({
  EMPTY: pb.ConsumerGroupState.CONSUMER_GROUP_STATE_EMPTY,
  STABLE: pb.ConsumerGroupState.CONSUMER_GROUP_STATE_STABLE,
  REBALANCING: pb.ConsumerGroupState.CONSUMER_GROUP_STATE_REBALANCING,
  DEAD: pb.ConsumerGroupState.CONSUMER_GROUP_STATE_DEAD,
  UNKNOWN: pb.ConsumerGroupState.CONSUMER_GROUP_STATE_UNKNOWN,
});

type AppliedOutcome = Extract<CommandOutput, { kind: 'applied' }>['outcome'];
const applied = enumCodec<AppliedOutcome>({
  applied: pb.AppliedOutcome.APPLIED_OUTCOME_APPLIED,
  active: pb.AppliedOutcome.APPLIED_OUTCOME_ACTIVE,
  unknown_topic: pb.AppliedOutcome.APPLIED_OUTCOME_UNKNOWN_TOPIC,
});

type SeededOutcome = Extract<CommandOutput, { kind: 'seeded' }>['outcome'];
const seeded = enumCodec<SeededOutcome>({
  seeded: pb.SeededOutcome.SEEDED_OUTCOME_SEEDED,
  not_stopped: pb.SeededOutcome.SEEDED_OUTCOME_NOT_STOPPED,
  absent: pb.SeededOutcome.SEEDED_OUTCOME_ABSENT,
  wrong_source: pb.SeededOutcome.SEEDED_OUTCOME_WRONG_SOURCE,
  different: pb.SeededOutcome.SEEDED_OUTCOME_DIFFERENT,
});

export const commandToWire = (c: Command): pb.Command => ({
  id: c.id,
  term: c.term,
  epoch: c.epoch,
  group: c.group,
  deadlineMs: c.deadlineMs,
  body: bodyToWire(c.body),
});

/** Null: a body that this version does not know; the agent answers `unsupported`. */
export function commandFromWire(c: pb.Command): Command | null {
  const body = bodyFromWire(c.body);
  if (body === null) return null;
  const { id, term, epoch, group } = c;
  return { id, term, epoch, group, deadlineMs: durationFromWire(c.deadlineMs), body };
}

function bodyToWire(b: CommandBody): NonNullable<pb.Command['body']> {
  switch (b.kind) {
    case 'read_end_offsets':
      return { $case: 'readEndOffsets', readEndOffsets: { cluster: b.cluster, topics: b.topics } };
    case 'read_replication_position':
      return {
        $case: 'readReplicationPosition',
        readReplicationPosition: { from: b.from, to: b.to, connectors: b.connectors, topics: b.topics },
      };
    case 'read_group_offsets':
      return {
        $case: 'readGroupOffsets',
        readGroupOffsets: { cluster: b.cluster, groups: b.groups, topics: b.topics },
      };
    case 'apply_group_offsets':
      return {
        $case: 'applyGroupOffsets',
        applyGroupOffsets: { cluster: b.cluster, group: b.group, offsets: b.offsets },
      };
    case 'canary':
      return {
        $case: 'canary',
        canary: {
          cluster: b.cluster,
          topic: b.topic,
          principal: principal.toWire(b.principal) as pb.CanaryPrincipal,
        },
      };
    case 'seed_flow': {
      const { from, to, connectors, positions } = b;
      return { $case: 'seedFlow', seedFlow: { from, to, connectors, positions } };
    }
    case 'count_records':
      return { $case: 'countRecords', countRecords: { cluster: b.cluster, ranges: b.ranges } };
    case 'list_transactions':
    case 'abort_transactions':
      return transactionCommandToWire(b);
    case 'translate_group_offsets':
      return { $case: 'translateGroupOffsets', translateGroupOffsets: translateToWire(b) };
    case 'prove_seam':
    case 'report_tail':
    case 'export_tail':
    case 'replay_tail':
      return tailCommandToWire(b);
    case 'describe_topics':
    case 'remake_topics':
      return rebuildCommandToWire(b);
  }
}

function bodyFromWire(b: pb.Command['body']): CommandBody | null {
  switch (b?.$case) {
    case 'readEndOffsets':
      return { kind: 'read_end_offsets', ...b.readEndOffsets };
    case 'readReplicationPosition': {
      const { from, to, connectors, topics } = b.readReplicationPosition;
      return connectors === undefined ? null : { kind: 'read_replication_position', from, to, connectors, topics };
    }
    case 'readGroupOffsets':
      return { kind: 'read_group_offsets', ...b.readGroupOffsets };
    case 'applyGroupOffsets':
      return { kind: 'apply_group_offsets', ...b.applyGroupOffsets };
    case 'canary': {
      const who = principal.fromWire(b.canary.principal);
      return who === null ? null : { kind: 'canary', cluster: b.canary.cluster, topic: b.canary.topic, principal: who };
    }
    case 'seedFlow': {
      const { from, to, connectors, positions } = b.seedFlow;
      return connectors === undefined ? null : { kind: 'seed_flow', from, to, connectors, positions };
    }
    case 'countRecords':
      return { kind: 'count_records', ...b.countRecords };
    case 'listTransactions':
    case 'abortTransactions':
      return transactionCommandFromWire(b);
    case 'translateGroupOffsets':
      return translateFromWire(b.translateGroupOffsets);
    case undefined:
      return null;
    case 'proveSeam':
    case 'reportTail':
    case 'exportTail':
    case 'replayTail':
      return tailCommandFromWire(b);
    case 'describeTopics':
    case 'remakeTopics':
      return rebuildCommandFromWire(b);
  }
}

export const commandResultToWire = (r: CommandResult): pb.CommandResult => ({
  id: r.id,
  outcome: r.ok
    ? outputToWire(r.output)
    : {
        $case: 'failure',
        failure: { code: failureCode.toWire(r.code) as pb.CommandFailureCode, detail: r.detail },
      },
});

/** A result that cannot be understood is a failure: the leader must never take it for done. */
export function commandResultFromWire(r: pb.CommandResult): CommandResult {
  if (r.outcome?.$case === 'failure') {
    const code = failureCode.fromWire(r.outcome.failure.code) ?? 'failed';
    return { id: r.id, ok: false, code, detail: r.outcome.failure.detail };
  }
  const output = outputFromWire(r.outcome);
  if (output === null) return { id: r.id, ok: false, code: 'failed', detail: 'the result is of a kind unknown here' };
  return { id: r.id, ok: true, output };
}

function outputToWire(o: CommandOutput): NonNullable<pb.CommandResult['outcome']> {
  switch (o.kind) {
    case 'end_offsets':
      return { $case: 'endOffsets', endOffsets: { starts: o.starts, ends: o.ends } };
    case 'replication_position':
      return {
        $case: 'replicationPosition',
        replicationPosition: { positions: o.positions, via: via.toWire(o.via) as pb.PositionSource },
      };
    case 'group_offsets':
      return {
        $case: 'groupOffsets',
        groupOffsets: {
          offsets: o.offsets,
          groups: Object.entries(o.states).map(([group, state]) => ({
            group,
            state: groupState.toWire(state) as pb.ConsumerGroupState,
          })),
        },
      };
    case 'applied':
      return {
        $case: 'applied',
        applied: { outcome: applied.toWire(o.outcome) as pb.AppliedOutcome, offsets: o.offsets },
      };
    case 'canary':
      return {
        $case: 'canary',
        canary: { accepted: o.accepted, errorCode: orUndefined(o.errorCode), detail: o.detail },
      };
    case 'seeded': {
      const { outcome, equal, different, detail } = o;
      return {
        $case: 'seeded',
        seeded: { outcome: seeded.toWire(outcome) as pb.SeededOutcome, equal, different, detail },
      };
    }
    case 'record_counts':
      return {
        $case: 'recordCounts',
        recordCounts: { counts: o.counts.map((c) => ({ ...c, openFrom: orUndefined(c.openFrom) })) },
      };
    case 'open_transactions':
    case 'aborted_transactions':
      return transactionOutputToWire(o);
    case 'translated_offsets':
      return { $case: 'translatedOffsets', translatedOffsets: translatedToWire(o) };
    case 'seam_proof':
    case 'tail_report':
    case 'tail_export':
    case 'tail_replay':
      return tailOutputToWire(o);
    case 'described_topics':
    case 'topics_remade':
      return rebuildOutputToWire(o);
  }
}

function outputFromWire(o: pb.CommandResult['outcome']): CommandOutput | null {
  switch (o?.$case) {
    case 'endOffsets':
      return { kind: 'end_offsets', starts: o.endOffsets.starts, ends: o.endOffsets.ends };
    case 'replicationPosition': {
      const source = via.fromWire(o.replicationPosition.via);
      if (source === null) return null;
      return { kind: 'replication_position', positions: o.replicationPosition.positions, via: source };
    }
    case 'groupOffsets':
      return {
        kind: 'group_offsets',
        offsets: o.groupOffsets.offsets,
        states: Object.fromEntries(
          o.groupOffsets.groups.map((g) => [g.group, groupState.fromWire(g.state) ?? 'UNKNOWN']),
        ),
      };
    case 'applied': {
      const outcome = applied.fromWire(o.applied.outcome);
      return outcome === null ? null : { kind: 'applied', outcome, offsets: o.applied.offsets };
    }
    case 'canary': {
      const { accepted, errorCode, detail } = o.canary;
      return { kind: 'canary', accepted, errorCode: orNull(errorCode), detail };
    }
    case 'seeded': {
      const { equal, different, detail } = o.seeded;
      const outcome = seeded.fromWire(o.seeded.outcome);
      return outcome === null ? null : { kind: 'seeded', outcome, equal, different, detail };
    }
    case 'recordCounts':
      return {
        kind: 'record_counts',
        counts: o.recordCounts.counts.map((c) => ({ ...c, openFrom: orNull(c.openFrom) })),
      };
    case 'openTransactions':
    case 'abortedTransactions':
      return transactionOutputFromWire(o);
    case 'translatedOffsets':
      return translatedFromWire(o.translatedOffsets);
    case 'failure':
    case undefined:
      return null;
    case 'seamProof':
    case 'tailReport':
    case 'tailExport':
    case 'tailReplay':
      return tailOutputFromWire(o);
    case 'describedTopics':
    case 'topicsRemade':
      return rebuildOutputFromWire(o);
  }
}

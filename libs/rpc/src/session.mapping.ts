import type { ConnectorNames, WatchGroup } from '#failover';
import { commandFromWire, commandResultFromWire, commandResultToWire, commandToWire } from './command.mapping.js';
import { reportFromWire, reportToWire } from './flow.mapping.js';
import * as pb from './generated/pointsman/agent/v1/agent.js';
import {
  assignmentFromWire,
  assignmentToWire,
  goalSetFromWire,
  goalSetToWire,
  goalStatusFromWire,
  goalStatusToWire,
} from './goal.mapping.js';
import type { AgentMessage, ControllerMessage, Watch } from './messages.js';
import { durationFromWire, enumCodec, orNull, orUndefined } from './wire.js';

const naming = enumCodec<'identity' | 'default'>({
  identity: pb.Naming.NAMING_IDENTITY,
  default: pb.Naming.NAMING_DEFAULT,
});

export const requestToWire = (seq: number, message: AgentMessage): pb.SessionRequest => ({
  seq,
  body: agentBody(message),
});

function agentBody(m: AgentMessage): NonNullable<pb.SessionRequest['body']> {
  switch (m.kind) {
    case 'hello': {
      const { agent, goalsHeld, ...rest } = m.hello;
      return { $case: 'hello', hello: { ...rest, agentId: agent, goalsHeld: goalsHeld.map(assignmentToWire) } };
    }
    case 'report':
      return { $case: 'report', report: reportToWire(m.report) };
    case 'goal_status':
      return { $case: 'goalStatus', goalStatus: goalStatusToWire(m.status) };
    case 'command_result':
      return { $case: 'commandResult', commandResult: commandResultToWire(m.result) };
    case 'goodbye':
      return { $case: 'goodbye', goodbye: { reason: m.reason } };
  }
}

/** Null: nothing in it that this version understands; it is acknowledged and otherwise ignored. */
export function requestFromWire(request: pb.SessionRequest): AgentMessage | null {
  const body = request.body;
  switch (body?.$case) {
    case 'hello': {
      const { agentId, goalsHeld, ...rest } = body.hello;
      const held = goalsHeld.map(assignmentFromWire).filter((a) => a !== null);
      return { kind: 'hello', hello: { ...rest, agent: agentId, goalsHeld: held } };
    }
    case 'report':
      return { kind: 'report', report: reportFromWire(body.report) };
    case 'goalStatus': {
      const status = goalStatusFromWire(body.goalStatus);
      return status === null ? null : { kind: 'goal_status', status };
    }
    case 'commandResult':
      return { kind: 'command_result', result: commandResultFromWire(body.commandResult) };
    case 'goodbye':
      return { kind: 'goodbye', reason: body.goodbye.reason };
    case undefined:
      return null;
  }
}

/** `message` null: a plain acknowledgement. */
export const responseToWire = (ackSeq: number, message: ControllerMessage | null): pb.SessionResponse => ({
  ackSeq,
  body: message === null ? undefined : controllerBody(message),
});

function controllerBody(m: ControllerMessage): pb.SessionResponse['body'] {
  switch (m.kind) {
    case 'welcome': {
      const { controller, leader, watch, ...rest } = m.welcome;
      return {
        $case: 'welcome',
        welcome: { ...rest, controllerId: controller, isLeader: leader, watch: watchToWire(watch) },
      };
    }
    case 'goal_set':
      return { $case: 'goalSet', goalSet: goalSetToWire(m.goalSet) };
    case 'command':
      return { $case: 'command', command: commandToWire(m.command) };
    case 'unknown_command':
      return undefined; // only ever received
    case 'full_report_wanted':
      return { $case: 'fullReportWanted', fullReportWanted: {} };
    case 'lease_token':
      return { $case: 'leaseToken', leaseToken: { term: m.term, number: m.number, grants: m.grants } };
  }
}

/** Null: a plain acknowledgement, or nothing that this version understands. */
export function responseFromWire(response: pb.SessionResponse): ControllerMessage | null {
  const body = response.body;
  switch (body?.$case) {
    case 'welcome': {
      const { controllerId, isLeader, watch, ...rest } = body.welcome;
      return {
        kind: 'welcome',
        welcome: {
          ...rest,
          controller: controllerId,
          leader: isLeader,
          watch: watchFromWire(watch),
          leaseTtlMs: durationFromWire(body.welcome.leaseTtlMs),
        },
      };
    }
    case 'goalSet':
      return { kind: 'goal_set', goalSet: goalSetFromWire(body.goalSet) };
    case 'command': {
      const command = commandFromWire(body.command);
      return command === null ? { kind: 'unknown_command', id: body.command.id } : { kind: 'command', command };
    }
    case 'fullReportWanted':
      return { kind: 'full_report_wanted' };
    case 'leaseToken':
      return {
        kind: 'lease_token',
        term: body.leaseToken.term,
        number: body.leaseToken.number,
        grants: body.leaseToken.grants.filter(isUsable),
      };
    case undefined:
      return null;
  }
}

/** A grant without a time says nothing that could be kept to. */
const isUsable = (g: pb.LeaseGrant): boolean => Number.isFinite(g.selfFenceAfterMs) && g.selfFenceAfterMs > 0;

const watchToWire = (w: Watch): pb.Watch => ({
  clusters: w.clusters,
  groups: w.groups.map((g) => ({
    ...g,
    active: orUndefined(g.active),
    flows: g.flows.map((f) => ({
      ...f,
      naming: naming.toWire(f.naming) as pb.Naming,
      dedicated: f.dedicated === true,
    })),
  })),
});

const watchFromWire = (w: pb.Watch | undefined): Watch => ({
  clusters: w?.clusters ?? [],
  groups: (w?.groups ?? []).map(watchGroupFromWire),
});

/** A flow whose naming or connectors are not understood is not watched: its lag is then unknown, which blocks. */
function watchGroupFromWire(g: pb.WatchGroup): WatchGroup {
  const flows = g.flows.flatMap((f) => {
    const policy = naming.fromWire(f.naming);
    const connectors: ConnectorNames | undefined = f.connectors;
    if (policy === null || connectors === undefined) return [];
    return [{ from: f.from, to: f.to, naming: policy, connectors, ...(f.dedicated ? { dedicated: true } : {}) }];
  });
  return { ...g, active: orNull(g.active), flows };
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SessionRequest, SessionResponse } from './generated/pointsman/agent/v1/agent.js';
import type { AgentMessage, ControllerMessage } from './messages.js';
import { acceptsProtocol, PROTOCOL_VERSION } from './protocol.js';
import { requestFromWire, requestToWire, responseFromWire, responseToWire } from './session.mapping.js';
import { UNUSABLE_AGE_MS } from './wire.js';
import {
  anyCommand,
  anyCommandResult,
  anyGoalAssignment,
  anyGoalStatus,
  anyGrant,
  anyHello,
  anyReport,
  anyWelcome,
} from '#testing';

const overTheWire = (m: AgentMessage): AgentMessage | null =>
  requestFromWire(SessionRequest.decode(SessionRequest.encode(requestToWire(7, m)).finish()));

const backOverTheWire = (m: ControllerMessage): ControllerMessage | null =>
  responseFromWire(SessionResponse.decode(SessionResponse.encode(responseToWire(9, m)).finish()));

describe('mapping between domain and wire', () => {
  it('brings every message of an agent back unchanged', () => {
    const anyMessage: fc.Arbitrary<AgentMessage> = fc.oneof(
      anyHello.map((hello) => ({ kind: 'hello' as const, hello })),
      anyReport.map((report) => ({ kind: 'report' as const, report })),
      anyGoalStatus.map((status) => ({ kind: 'goal_status' as const, status })),
      anyCommandResult.map((result) => ({ kind: 'command_result' as const, result })),
      fc.string().map((reason) => ({ kind: 'goodbye' as const, reason })),
    );
    fc.assert(
      fc.property(anyMessage, (m) => {
        expect(overTheWire(m)).toEqual(m);
      }),
    );
  });

  it('brings every message of a controller back unchanged', () => {
    const anyMessage: fc.Arbitrary<ControllerMessage> = fc.oneof(
      anyWelcome.map((welcome) => ({ kind: 'welcome' as const, welcome })),
      fc
        .record({ term: fc.nat(), goals: fc.array(anyGoalAssignment, { maxLength: 4 }) })
        .map((goalSet) => ({ kind: 'goal_set' as const, goalSet })),
      anyCommand.map((command) => ({ kind: 'command' as const, command })),
      fc.constant({ kind: 'full_report_wanted' as const }),
      fc.record({
        kind: fc.constant('lease_token' as const),
        term: fc.nat(),
        number: fc.nat(),
        grants: fc.array(anyGrant, { maxLength: 3 }),
      }),
    );
    fc.assert(
      fc.property(anyMessage, (m) => {
        expect(backOverTheWire(m)).toEqual(m);
      }),
    );
  });

  it('reads whatever decodes at all without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        let decoded: SessionRequest;
        try {
          decoded = SessionRequest.decode(bytes);
        } catch {
          return; // not a message: the transport ends the stream
        }
        requestFromWire(decoded);
      }),
    );
  });
});

describe('what a peer of another version may send', () => {
  const reportWith = (cluster: Record<string, unknown>): AgentMessage | null => {
    const sample = overTheWire({ kind: 'report', report: fc.sample(anyReport, { numRuns: 1, seed: 3 })[0]! });
    expect(sample?.kind).toBe('report');
    const wire = requestToWire(1, sample!);
    const body = wire.body;
    if (body?.$case !== 'report') throw new Error('not a report');
    const base = {
      cluster: 'a',
      state: 3,
      kind: 1,
      everyBrokerRefused: true,
      marks: [],
      reasons: [],
      sampleAgeMs: 5,
      failingForMs: 10,
      refusedForMs: 0,
    };
    const report = { ...body.report, clusters: [{ ...base, fields: undefined, ...cluster } as never] };
    return requestFromWire({ seq: 1, body: { $case: 'report', report } });
  };

  const clusterOf = (m: AgentMessage | null) => (m?.kind === 'report' ? m.report.clusters[0] : undefined);

  it('never takes an unknown state or kind for DOWN', () => {
    expect(clusterOf(reportWith({ state: 42 }))).toMatchObject({ state: 'ABSTAIN', kind: null });
    expect(clusterOf(reportWith({ state: 3, kind: 9 }))).toMatchObject({
      state: 'ABSTAIN',
      kind: null,
      everyBrokerRefused: false,
    });
    expect(clusterOf(reportWith({ state: 3, kind: undefined }))).toMatchObject({ state: 'ABSTAIN', kind: null });
  });

  it('makes an impossible age unusable and an impossible duration nothing', () => {
    expect(clusterOf(reportWith({ sampleAgeMs: 1.2, failingForMs: 1.8 }))).toMatchObject({
      sampleAgeMs: 2,
      failingForMs: 1,
    });
    expect(clusterOf(reportWith({ sampleAgeMs: -1 }))?.sampleAgeMs).toBe(UNUSABLE_AGE_MS);
    expect(clusterOf(reportWith({ sampleAgeMs: Number.NaN }))?.sampleAgeMs).toBe(UNUSABLE_AGE_MS);
    expect(clusterOf(reportWith({ failingForMs: Number.POSITIVE_INFINITY }))?.failingForMs).toBe(0);
  });

  it('drops a goal whose subject or state it does not know instead of guessing one', () => {
    const goal = { group: 'orders', epoch: 1, term: 1 };
    const cluster = {
      $case: 'cluster' as const,
      cluster: { cluster: 'a', state: 99 as never, topics: [], kinds: [], deniedGroups: [], previous: [] },
    };
    const read = responseFromWire({
      ackSeq: 0,
      body: { $case: 'goalSet', goalSet: { term: 1, goals: [{ goal: { ...goal, subject: cluster }, role: 1 }] } },
    });
    expect(read).toEqual({ kind: 'goal_set', goalSet: { term: 1, goals: [] } });
  });

  it('names a command that it does not know, so that it can be answered', () => {
    const command = { id: 'c1', term: 1, epoch: 1, group: 'orders', deadlineMs: 1000, body: undefined };
    expect(responseFromWire({ ackSeq: 0, body: { $case: 'command', command } })).toEqual({
      kind: 'unknown_command',
      id: 'c1',
    });
  });

  it('takes a result that it does not understand for a failure', () => {
    const read = requestFromWire({
      seq: 1,
      body: { $case: 'commandResult', commandResult: { id: 'c1', outcome: undefined } },
    });
    expect(read).toMatchObject({ kind: 'command_result', result: { ok: false, code: 'failed' } });
  });

  it('accepts one version apart and no more', () => {
    expect(acceptsProtocol(PROTOCOL_VERSION)).toBe(true);
    expect([4, 5, 6].map((v) => acceptsProtocol(v, 5))).toEqual([true, true, true]);
    expect([0, 3, 7, 1.5, Number.NaN].map((v) => acceptsProtocol(v, 5))).toEqual([false, false, false, false, false]);
  });
});

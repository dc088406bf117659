import type { Decision, JournalEntry, Json, OrderLoss, SagaKind, SagaRecord, SagaRequest, Snapshot } from '#failover';
import { newId, rfc3339 } from '#platform';
import type { AuthorityTx } from '../../persistence/authority-store.port.js';
import type { Evaluation } from './confirm-failover.step.js';

export type Opening = Readonly<{
  term: number;
  wallMs: number;
  evaluation: Evaluation;
  target: string;
  incident: string;
  kind?: SagaKind; // default: failover
  /** Who asked; absent: the matrix did. */
  request?: SagaRequest;
  /** Epochs to leave free below the reserved one, for publications of its own before the point of no return. */
  epochRoom?: number;
  /** What a person was told it costs; absent: the decision's own. */
  loss?: OrderLoss;
}>;

/** The snapshot's view of the group is older than the store's: the next tick sees the truth and decides again. */
export class StaleGroupError extends Error {
  override readonly name = 'StaleGroupError';
  constructor(group: string) {
    super(`group ${group} changed in the store since the snapshot: nothing was opened`);
  }
}

/**
 * The journal begins, in one transaction: the saga's row (one open per group), the reserved epoch, and everything known
 * at this moment that cannot be asked for later: votes, last end offsets of the source with their age, the loss estimate.
 */
export async function openSaga(tx: AuthorityTx, of: Opening): Promise<SagaRecord> {
  const { snapshot, decision } = of.evaluation;
  const { name: group, active: source, epoch: fromEpoch } = snapshot.group;
  const at = rfc3339(of.wallMs);
  const row = await tx.group(group);
  if (row === null || row.active !== source || row.epoch !== fromEpoch || row.frozen !== null)
    throw new StaleGroupError(group);
  const epoch = await tx.reserveEpoch(group, fromEpoch + (of.epochRoom ?? 0));
  const saga: Omit<SagaRecord, 'journal'> = {
    id: newId(),
    kind: of.kind ?? 'failover',
    group,
    source,
    target: of.target,
    row: decision.row,
    trigger: of.request === undefined ? 'auto' : 'operator',
    fromEpoch,
    epoch,
    term: of.term,
    openedAt: at,
    closedAt: null,
    outcome: null,
  };
  await tx.openSaga(saga);
  const entry = (step: 'confirm' | 'open', event: 'intent' | 'done', evidence: Json): JournalEntry => ({
    seq: 0,
    step,
    direction: 'do',
    event,
    term: of.term,
    at,
    deadlineMs: null,
    evidence,
  });
  const journal = [
    entry('confirm', 'intent', null),
    entry('confirm', 'done', { summary: `row ${decision.row} ${decision.name}`, reasons: decision.reasons }),
    entry('open', 'intent', null),
    entry('open', 'done', openingEvidence(snapshot, decision, { ...of, source, epoch })),
  ].map((e, i) => ({ ...e, seq: i + 1 }));
  await tx.appendJournal(
    saga.id,
    journal.map(({ seq: _seq, ...rest }) => rest),
  );
  return { ...saga, journal };
}

function openingEvidence(
  snapshot: Snapshot,
  decision: Decision,
  of: Readonly<{
    source: string;
    target: string;
    incident: string;
    epoch: number;
    request?: SagaRequest;
    loss?: OrderLoss;
  }>,
): Json {
  const flow = snapshot.flows.find((f) => f.from === of.source && f.to === of.target);
  const votes = Object.values(snapshot.votes[of.source] ?? {});
  return {
    summary: `epoch ${of.epoch} reserved`,
    ...(of.request === undefined ? {} : { request: requestJson(of.request) }),
    incident: of.incident,
    epoch: of.epoch,
    timeline: openingTimeline(snapshot, decision, of.source),
    votes: votes.map((v) => ({
      agent: v.agent,
      state: v.state,
      kind: v.kind,
      everyBrokerRefused: v.everyBrokerRefused,
      ageMs: v.ageMs,
      failingForMs: v.failingForMs,
    })),
    sourceEnds: (flow?.perPartition ?? []).map((p) => ({
      topic: p.topic,
      partition: p.partition,
      end: p.sourceEnd,
      ageMs: p.sourceEndAgeMs,
      replicated: p.replicated,
    })),
    loss: { ...decision.loss, ...of.loss },
  };
}

const requestJson = ({ rejoin, approval, force, ...rest }: SagaRequest): Json => ({
  ...rest,
  ...(force === undefined ? {} : { force: { acceptLoss: { ...force.acceptLoss }, override: [...force.override] } }),
  ...(approval === undefined ? {} : { approval: { ...approval, persons: [...approval.persons] } }),
  ...(rejoin === undefined ? {} : { rejoin: { ...rejoin, priority: [...rejoin.priority] } }),
});

/** Instants of the detection, turned into wall time while the monotonic clock that measured them is at hand. */
function openingTimeline(snapshot: Snapshot, decision: Decision, source: string): Json {
  const at = (monotonicMs: number): string => rfc3339(snapshot.wallNow - (snapshot.now - monotonicMs));
  const failing = Object.values(snapshot.votes[source] ?? {}).filter((v) => v.state === 'DOWN' && v.ageMs !== null);
  const firstMs = failing.reduce(
    (min, v) => Math.min(min, snapshot.now - (v.ageMs ?? 0) - v.failingForMs),
    snapshot.now,
  );
  const { window } = decision;
  const endMs = window === null ? snapshot.now : Math.min(snapshot.now, window.startedAtMs + window.lengthMs);
  const verdictMs = decision.nextMemory.downSinceMs ?? snapshot.memory.downSinceMs ?? endMs;
  return {
    firstFailedSampleAt: at(firstMs),
    verdictAt: at(Math.max(firstMs, Math.min(verdictMs, endMs))),
    windowStartedAt: window === null ? null : at(window.startedAtMs),
    windowEndedAt: at(endMs),
  };
}

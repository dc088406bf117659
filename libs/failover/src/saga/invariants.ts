import type { ClusterName } from '#health';
import type { SagaRecord } from './types.js';

/** Checkers over what a world recorded while sagas ran. Each gives the broken promises in words; an empty list is good. */

export type WorldEnd = Readonly<{
  source: ClusterName;
  target: ClusterName;
  pointer: ClusterName; // active in the config center
  acceptsWrites: Readonly<Record<ClusterName, boolean>>; // of an ordinary client, once both clusters answer
  runningFlows: readonly string[];
  /** A planned switch: the way back may run, and a person may have accepted that the old side stays open. */
  planned?: Readonly<{ oldSideOpen: boolean }>;
}>;

/** I22 and I40: "old active, not fenced" or "new active and the old one fenced"; never neither, never both. */
export function checkGoodEnd(end: WorldEnd): readonly string[] {
  const other = end.pointer === end.source ? end.target : end.source;
  const moved = end.pointer === end.target;
  const back = `${end.target}->${end.source}`;
  const wrong = end.planned === undefined ? end.runningFlows : end.runningFlows.filter((flow) => flow !== back);
  return [
    ...(end.acceptsWrites[end.pointer] === true ? [] : [`I22 the active cluster ${end.pointer} refuses writes`]),
    ...(moved && end.acceptsWrites[other] === true && end.planned?.oldSideOpen !== true
      ? [`I40 ${other} is not active and takes writes`]
      : []),
    ...(end.runningFlows.length > 1 ? [`I37 both directions run: ${end.runningFlows.join(', ')}`] : []),
    ...(moved && wrong.length > 0 ? [`I37 ${wrong.join(', ')} runs after the switch`] : []),
  ];
}

export type Publication = Readonly<{
  activeCluster: ClusterName;
  epoch: number;
  sagaId: string | null;
  mode?: 'ACTIVE' | 'DRAIN' | 'HOLD';
}>;

/** I26 and I24: one content per epoch, epochs rise, and a saga that published its target never publishes its source again. */
export function checkPublications(published: readonly Publication[]): readonly string[] {
  const problems: string[] = [];
  const byEpoch = new Map<number, Publication>();
  const targets = new Map<string, ClusterName>();
  let last = 0;
  for (const p of published) {
    const known = byEpoch.get(p.epoch);
    if (known !== undefined && known.activeCluster !== p.activeCluster)
      problems.push(`I26 two clusters at epoch ${p.epoch}`);
    if (p.epoch < last) problems.push(`I3 epoch fell from ${last} to ${p.epoch}`);
    last = Math.max(last, p.epoch);
    byEpoch.set(p.epoch, p);
    // DRAIN and HOLD prepare: which cluster a saga settles on is said by ACTIVE alone.
    if (p.sagaId === null || (p.mode ?? 'ACTIVE') !== 'ACTIVE') continue;
    const first = targets.get(p.sagaId);
    if (first !== undefined && first !== p.activeCluster)
      problems.push(`I24 saga ${p.sagaId} published ${first}, then ${p.activeCluster}`);
    targets.set(p.sagaId, first ?? p.activeCluster);
  }
  return problems;
}

/** I25: the canary's evidence stands in the journal before the first intent to fence. */
export function checkPublishableFirst(saga: SagaRecord): readonly string[] {
  const fence = saga.journal.find((e) => e.step === 'fence-source' && e.event === 'intent' && e.direction === 'do');
  const canary = saga.journal.find((e) => e.step === 'check-publishable' && e.event === 'done');
  if (fence === undefined) return [];
  return canary !== undefined && canary.seq < fence.seq
    ? []
    : ['I25 the source was fenced before the config center was proved writable'];
}

/** I27: in strict mode no publication without a confirmed fence before it. */
export function checkFenceBeforePublish(saga: SagaRecord, fencing: 'best-effort' | 'strict'): readonly string[] {
  const publish = saga.journal.find((e) => e.step === 'publish' && e.event === 'intent' && e.direction === 'do');
  const fence = saga.journal.find((e) => e.step === 'fence-source' && e.event === 'done' && e.direction === 'do');
  if (publish === undefined) return [];
  if (fence === undefined || fence.seq > publish.seq) return ['I27 published without any evidence on the fence'];
  const confirmed =
    fence.evidence !== null &&
    typeof fence.evidence === 'object' &&
    'confirmed' in fence.evidence &&
    fence.evidence.confirmed === true;
  return confirmed || fencing === 'best-effort' ? [] : ['I27 strict: published on an unconfirmed fence'];
}

/** The journal itself: sequence without gaps, an end only after its intent, nothing after the close. */
export function checkJournal(saga: SagaRecord): readonly string[] {
  const problems: string[] = [];
  saga.journal.forEach((entry, i) => {
    if (entry.seq !== i + 1) problems.push(`journal entry ${i + 1} has seq ${entry.seq}`);
    if (entry.event === 'intent') return;
    const before = saga.journal.slice(0, i);
    const intent = before.some((e) => e.event === 'intent' && e.step === entry.step && e.direction === entry.direction);
    if (!intent) problems.push(`${entry.direction} ${entry.step} ended without an intent`);
  });
  const close = saga.journal.findIndex((e) => e.step === 'close' && e.event === 'done');
  if (saga.outcome !== null && close !== saga.journal.length - 1) problems.push('the journal goes on after the close');
  return problems;
}

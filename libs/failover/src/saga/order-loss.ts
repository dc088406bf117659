import { lagAtStart } from '../matrix/decide.js';
import type { Decision, LagReading } from '../matrix/facts.js';
import { REJOINING } from '../matrix/fitness.js';
import { flowBetween, judgeLag, lagAsOf, type LagJudgement, readingOf } from '../matrix/lag.js';
import type { Row } from '../matrix/row.js';
import type { Situation } from '../matrix/situation.js';
import { outageStart } from '../matrix/windows.js';
import type { Refusal } from './preconditions.js';
import type { ForceOrder } from './types.js';

/** What an ordered failover loses, as far as anybody can say; `says` for people. */
export type OrderLoss = Readonly<{
  knownRecords: number | null;
  estimatedRecords: number | null;
  atLeast: boolean;
  says: string;
}>;

type Told = Readonly<{ lag: LagJudgement; says: string | null }>;

/**
 * The lag that an order is judged by: as of the start of the outage where S is silent, of now where it serves. A target whose
 * rejoin is not finished holds nothing of what was written to S since it was left, so all of that is lag.
 */
export function lagForOrder(
  s: Situation,
  row: Row,
  { targetFit }: Decision,
  { sinceSwitchRecords: records }: Readonly<{ sinceSwitchRecords: number | null }>,
): Told {
  if (targetFit.reasons.includes(REJOINING)) {
    const what = `everything written to ${s.source.name} since the last switch`;
    const text = records === null ? `${what}: how many records is not known` : `${what}: ${records} records`;
    const basis = records === null ? 'unknown' : 'records';
    return { lag: { basis, records, ms: null, ageMs: null, over: true, text }, says: text };
  }
  const { snapshot, policy, memory, target, source } = s;
  const current = target === null ? null : readingOf(flowBetween(snapshot, source.name, target.name), snapshot.now);
  const { judgement } = lagAtStart(s, row);
  if (row.blockers.length > 0 || judgement.basis !== 'unknown')
    return { lag: atLeast(judgement, s, current), says: null };
  const reading = lagAsOf(outageStart(s, false), memory, current, policy, snapshot.probe.periodMs);
  return { lag: atLeast(judgeLag(reading, policy), s, current), says: null };
}

/**
 * What was written in the last moments may have been seen after the instant that the outage is counted from. Pointsman by
 * itself judges by that instant; the limit of a person holds for everything that is known.
 */
function atLeast(lag: LagJudgement, { memory, policy }: Situation, current: LagReading | null): LagJudgement {
  const seen = [...memory.lagReadings, ...(current === null ? [] : [current])].filter((r) => r.records !== null);
  const newest = seen.toSorted((x, y) => y.atMs - x.atMs)[0];
  if (lag.basis !== 'records' || newest?.records == null || newest.records <= (lag.records ?? 0)) return lag;
  return judgeLag({ ...newest, ms: lag.ms, heartbeatAgeMs: null }, policy);
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/**
 * Holds the lag against the limit that the order states. What is limited must be known: a limit of records says nothing about
 * a lag of which only the seconds are known. A lag of which nothing is known passes a limit without records only.
 */
export function lossRefusal(lag: LagJudgement, limit: ForceOrder['acceptLoss']): Refusal | null {
  const { maxRecords, maxMs } = limit;
  const { records, ageMs: ms } = lag;
  const over = [
    ...(maxRecords !== null && records !== null && records > maxRecords
      ? [`${records} records, the order accepts ${maxRecords}`]
      : []),
    ...(maxMs !== null && ms !== null && ms > maxMs ? [`${seconds(ms)}, the order accepts ${seconds(maxMs)}`] : []),
  ];
  if (over.length > 0) {
    const flag = records === null ? '--max-duration' : `--max-records ${records}`;
    return {
      name: 'LAG_OVER_BUDGET',
      detail: `what would be lost: ${over.join('; ')}`,
      liftedBy: `an order that accepts more (${flag}), or the copy catches up`,
    };
  }
  const measured = (maxRecords !== null && records !== null) || (maxMs !== null && ms !== null);
  if (measured || (maxRecords === null && records === null && ms === null)) return null;
  const liftedBy =
    records === null
      ? 'an order whose limit is a time alone (--max-duration): nobody can count the records'
      : `an order that limits the records: --max-records ${records}`;
  return { name: 'LAG_UNKNOWN', detail: `what the order limits is not known: ${lag.text}`, liftedBy };
}

export function orderLoss({ loss }: Decision, lag: LagJudgement, says: string | null): OrderLoss {
  const known = lag.records;
  if (says !== null) return { knownRecords: known, estimatedRecords: null, atLeast: true, says };
  const { estimatedRecords, atLeast } = loss;
  const estimate = estimatedRecords === null ? '' : `, ${estimatedRecords} estimated`;
  const text = known === null ? `not known (${lag.text})` : `${atLeast ? 'at least ' : ''}${known} records${estimate}`;
  return { knownRecords: known, estimatedRecords, atLeast, says: text };
}

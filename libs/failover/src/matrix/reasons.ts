import { findBlockers } from './blockers.js';
import { lostObservers, READINESS, untoldGaps } from './clauses.js';
import { gapTexts } from './gap-texts.js';
import type { LagJudgement } from './lag.js';
import type { Row } from './row.js';
import type { Situation } from './situation.js';

/** A reason is one short sentence with the numbers behind the row. */
type Reason = Readonly<{
  rows: readonly number[] | 'acting';
  says: (s: Situation, lag: LagJudgement) => readonly string[];
}>;

const REASONS: readonly Reason[] = [
  {
    rows: [300],
    says: (s) => s.verdict.cutPairs.map(([from, to]) => `observer in ${from} cannot reach ${s.source.name} in ${to}`),
  },
  { rows: [610], says: (s) => [`lost: ${lostObservers(s).join(', ')}`] },
  {
    rows: [700],
    says: (s) => findBlockers(READINESS, { situation: s, lag: s.lagNow }).map((b) => `${b.name}: ${b.detail}`),
  },
  { rows: [710], says: (s) => gapTexts(untoldGaps(s)) },
  {
    rows: [510],
    says: (s) => [`${Math.round(s.medians.partitionShare * 100)} % of hot-standby partitions at fault`],
  },
  {
    rows: [115],
    says: (s) => [
      `nobody can say whether ${s.source.name} still serves its own IDC: its agent is silent, and no witness can look`,
      `nobody can say whether ${s.target?.name ?? 'the other side'} is the side that is cut off: look by another way`,
    ],
  },
  { rows: 'acting', says: (_s, lag) => [`lag as of the start: ${lag.text}`] },
];

/** The votes on S in one line each, then what the matched row has to say. */
export function reasonsOf(s: Situation, row: Row, lag: LagJudgement): readonly string[] {
  const votes = s.sourceSeats.map(({ idc, vote }) => {
    const kind = vote.kind === null ? '' : `/${vote.kind}`;
    const why = vote.reasons.length === 0 ? '' : `: ${vote.reasons.join('; ')}`;
    return `${idc} says ${vote.state}${kind}${why}`;
  });
  const grace = s.snapshot.graceOver ? [] : ['still listening after start: nothing fires yet'];
  const own = REASONS.filter((r) => (r.rows === 'acting' ? row.blockers.length > 0 : r.rows.includes(row.id)));
  return [...grace, ...votes, ...own.flatMap((r) => r.says(s, lag))];
}

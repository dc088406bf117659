import type { Blocker, GroupBody } from '../api/types.js';
import { seconds, table, wrap } from './text.js';

type VoteBody = Readonly<{
  state: string;
  kind: string | null;
  ageMs: number | null;
  failingForMs: number;
  reasons: readonly string[];
}>;

export type ExplainBody = Pick<
  GroupBody,
  'group' | 'row' | 'name' | 'state' | 'gate' | 'action' | 'wouldDo' | 'reasons'
> &
  Readonly<{
    at: string;
    event: number | null;
    term: number;
    epoch: number;
    window: Readonly<{ fillMs: number; lengthMs: number; dueInMs: number; complete: boolean }> | null;
    blockers: readonly Blocker[];
    target: string | null;
    targetFit: Readonly<{ fit: boolean; reasons: readonly string[] }>;
    loss: Readonly<{ knownRecords: number | null; estimatedRecords: number | null; atLeast: boolean }>;
    votes: Readonly<Record<string, Readonly<Record<string, VoteBody>>>>;
    /** The controller's own words, by the code that decided. */
    text?: string;
  }>;

/** Everything behind a decision, top down: what, when it acts, what forbids it, who saw what. */
export const renderExplain = (e: ExplainBody, columns: number): string[] => {
  if (e.text !== undefined) return e.text.trimEnd().split('\n');
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ['', title, ...lines.flatMap((l) => wrap(`  ${l}`, columns, '    '))];
  return [
    `${e.group}: ${e.row ?? '---'} ${e.name} at ${e.at} (term ${e.term}, epoch ${e.epoch})`,
    ...wrap(e.state, columns, '  '),
    ...section('Action', [actionLine(e), ...windowLines(e)]),
    ...section('Reasons', e.reasons),
    ...section(
      'Blockers',
      e.blockers.map((b) => `${b.name}: ${b.detail}; lifted by: ${b.liftedBy}`),
    ),
    ...section('Target', targetLines(e)),
    '',
    'Votes',
    ...table([['  CLUSTER', 'AGENT', 'VOTE', 'AGE', 'FAILING', 'WHY'], ...voteRows(e)], columns),
  ];
};

const actionLine = (e: ExplainBody): string =>
  e.gate.length > 0
    ? `${e.action} (would do: ${e.wouldDo}; gates: ${e.gate.join(', ')})`
    : `${e.action} (would do: ${e.wouldDo})`;

const windowLines = ({ window }: ExplainBody): string[] =>
  window
    ? [
        `window ${(window.fillMs / 1000).toFixed(1)} s of ${seconds(window.lengthMs)} s, due in ${(window.dueInMs / 1000).toFixed(1)} s`,
      ]
    : [];

const targetLines = (e: ExplainBody): string[] => [
  `${e.target ?? 'none'}: ${e.targetFit.fit ? 'fit' : 'not fit'}`,
  ...e.targetFit.reasons,
  `loss: known ${e.loss.knownRecords ?? 'unknown'}, estimated ${e.loss.atLeast ? 'at least ' : ''}${e.loss.estimatedRecords ?? 'unknown'} records`,
];

const voteRows = (e: ExplainBody): string[][] =>
  Object.entries(e.votes).flatMap(([cluster, votes]) =>
    Object.entries(votes).map(([agent, v]) => [
      `  ${cluster}`,
      agent,
      v.kind ? `${v.state}/${v.kind}` : v.state,
      v.ageMs === null ? 'never' : `${(v.ageMs / 1000).toFixed(1)} s`,
      v.failingForMs > 0 ? `${(v.failingForMs / 1000).toFixed(1)} s` : '-',
      v.reasons.join('; '),
    ]),
  );

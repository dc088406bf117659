import type { ClusterFields } from '#health';
import type { ClusterExplanation, Explanation, VoteExplanation } from './explanation.js';

const WIDTH = 100;

/** Wraps at spaces to 100 columns; following lines are indented under the first. A word longer than a line is cut. */
function wrap(text: string, indent: number): readonly string[] {
  const pad = ' '.repeat(indent);
  const lines: string[] = [];
  let line = text.slice(0, text.length - text.trimStart().length);
  let empty = true;
  for (const word of text.trimStart().split(' ')) {
    const candidate = empty ? `${line}${word}` : `${line} ${word}`;
    if (candidate.length > WIDTH && !empty) {
      lines.push(line);
      line = `${pad}${word}`;
    } else line = candidate;
    empty = false;
  }
  return [...lines, line].map((l) => (l.length <= WIDTH ? l : `${l.slice(0, WIDTH - 1)}…`));
}

const seconds = (ms: number | null): string => (ms === null ? 'never' : `${(ms / 1000).toFixed(1)} s`);

function fieldsText(f: ClusterFields | null): string {
  if (f === null) return '';
  const parts = [
    `brokers ${f.answeringBrokers}/${f.expectedBrokers}`,
    f.canarySampledBrokers === 0 ? 'canary not run' : `canary ${f.canaryOkBrokers}/${f.canarySampledBrokers}`,
    `quorum leader ${f.quorumLeader ?? 'none'}`,
    ...(f.hotStandby === null
      ? []
      : [`offline ${f.hotStandby.offline}, under min ISR ${f.hotStandby.underMinIsr} of ${f.hotStandby.total}`]),
    ...(f.errorKinds.length === 0 ? [] : [f.errorKinds.join(' ')]),
  ];
  return parts.join(', ');
}

function voteLines(v: VoteExplanation): readonly string[] {
  const failing = v.failingForMs > 0 ? `, failing for ${seconds(v.failingForMs)}` : '';
  const marks = v.marks.length === 0 ? '' : ` [${v.marks.join(' ')}]`;
  const counted = v.counts ? '' : ', does not count';
  const head = `    ${v.idc.padEnd(4)} ${v.role.padEnd(8)} ${v.vote}${marks}, ${seconds(v.ageMs)} old${failing}${counted}`;
  const said = [v.reasons.join('; '), fieldsText(v.fields)].filter((t) => t !== '');
  return [...wrap(head, 18), ...said.flatMap((t) => wrap(`                  ${t}`, 18))];
}

function clusterLines(c: ClusterExplanation): readonly string[] {
  const pairs = c.cutPairs.map(([from, to]) => `${from}–${to}`).join(', ');
  const head = `  ${c.cluster} (${c.role}) is ${c.verdict}${pairs === '' ? '' : `: ${pairs}`}`;
  return [...wrap(head, 4), ...c.votes.flatMap(voteLines)];
}

function actionText(e: Explanation): string {
  if (e.gates.length > 0) return `${e.wouldDo}, kept back by ${e.gates.map((g) => g.name).join(', ')}`;
  return e.action === e.wouldDo ? e.action : `${e.action}; wants ${e.wouldDo}`;
}

function windowLines(e: Explanation): readonly string[] {
  const w = e.window;
  if (w === null) return [];
  const due = w.complete ? `full since ${w.deadline}` : `full at ${w.deadline}`;
  const waits = w.waitsFor === null ? '' : `, still waits for ${w.waitsFor}`;
  return wrap(`window     ${w.text}, ${due}${waits}`, 11);
}

function lossText(e: Explanation): string {
  const estimate = e.loss.estimatedRecords === null ? 'no estimate' : `${e.loss.estimatedRecords} estimated`;
  if (e.loss.knownRecords === null) return `unknown, ${estimate}`;
  return `${e.loss.atLeast ? 'at least ' : ''}${e.loss.knownRecords} records known, ${estimate}`;
}

const pauseText = ({ owner, reason, until, everywhere }: NonNullable<Explanation['pause']>): string =>
  `paused     ${everywhere ? 'everywhere ' : ''}by ${owner} until ${until}: ${reason}`;

const scheduledText = ({ act, target, at, by, reason, id }: NonNullable<Explanation['scheduled']>): string =>
  `scheduled  ${act} to ${target} at ${at}, asked for by ${by}: ${reason}; pointsman abort ${id} takes it back`;

/** The explanation on one screen: at most 100 columns, no colour, ends with a newline. */
export function renderExplanation(e: Explanation): string {
  const lines: readonly string[] = [
    ...wrap(`${e.group}: row ${e.row.id} ${e.row.name}: ${e.row.sentence}`, 2),
    ...wrap(
      `at         ${e.at}, term ${e.term}, epoch ${e.epoch}, mode ${e.mode}${e.leading ? '' : ', not leading'}`,
      11,
    ),
    ...wrap(`action     ${actionText(e)}`, 11),
    ...e.gates.flatMap((g) => wrap(`gate       ${g.name}: ${g.sentence}`, 11)),
    ...(e.pause ? wrap(pauseText(e.pause), 11) : []),
    ...windowLines(e),
    ...e.blockers.flatMap((b) => [
      ...wrap(`blocked by ${b.name}: ${b.detail}`, 11),
      ...wrap(`           lifted by: ${b.liftedBy}`, 22),
    ]),
    ...wrap(
      `target     ${e.target ?? 'none'} ${e.fitness.fit ? 'is fit' : `is not fit: ${e.fitness.reasons.join('; ')}`}`,
      11,
    ),
    ...(e.selfFence ? wrap(`self-fence ${e.selfFence.armed ? 'armed' : 'not armed'}: ${e.selfFence.says}`, 11) : []),
    ...(e.scheduled ? wrap(scheduledText(e.scheduled), 11) : []),
    ...wrap(`loss       ${lossText(e)}`, 11),
    ...(e.alerts.length === 0 ? [] : wrap(`alerts     ${e.alerts.join(', ')}`, 11)),
    ...(e.also.length === 0 ? [] : wrap(`also       ${e.also.map((r) => `${r.id} ${r.name}`).join(', ')}`, 11)),
    'votes',
    ...e.clusters.flatMap(clusterLines),
    ...(e.rowsAbove.length === 0 ? [] : ['rows above, and what each missed']),
    ...e.rowsAbove.flatMap((r) => wrap(`  ${r.id} ${r.name.padEnd(16)} ${r.failed}`, 23)),
  ];
  return `${lines.join('\n')}\n`;
}

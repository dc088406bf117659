import type { GroupBody } from '../api/types.js';
import { clock, cut, padEnd, padStart, seconds, width, wrap } from './text.js';

const STEADY = 800;
const BAR_CELLS = 6;
const LAG_COLUMNS = 15; // `0.4 s of 30 s ↘`: the columns stay put when a trend comes or goes
const ARROWS = { rising: '↗', falling: '↘', steady: '→', unknown: '' } as const;
const HEAD = {
  group: 'GROUP',
  active: 'ACTIVE',
  mode: 'MODE',
  row: 'ROW',
  lag: 'LAG',
  epoch: 'EPOCH',
  leader: 'LEADER',
};

type Cells = Readonly<Record<keyof typeof HEAD, string>> & Readonly<{ observers: string }>;
type Style = Readonly<{ columns: number; paint: (row: number | null, text: string) => string }>;

/** The one-screen overview. Lines are at most `columns` wide; what does not fit goes on below, indented. */
export const renderStatus = (groups: readonly GroupBody[], style: Style): string[] => {
  const cells = groups.map(cellsOf);
  const widths = widthsOf([HEAD, ...cells]);
  const header = `${lineOf(HEAD, widths)}OBSERVERS`;
  return [
    cut(header, style.columns),
    ...groups.flatMap((g, i) => groupLines(g, cells[i] ?? { ...HEAD, observers: '' }, widths, style)),
  ];
};

type Widths = Record<keyof typeof HEAD, number>;

const widthsOf = (all: readonly (typeof HEAD | Cells)[]): Widths => {
  const widest = (key: keyof typeof HEAD): number => Math.max(...all.map((c) => width(c[key])));
  return {
    group: widest('group'),
    active: widest('active'),
    mode: widest('mode'),
    row: widest('row'),
    lag: Math.max(LAG_COLUMNS, widest('lag')),
    epoch: widest('epoch'),
    leader: widest('leader'),
  };
};

const cellsOf = (g: GroupBody): Cells => ({
  group: g.group,
  active: `${g.active} → ${g.standby ?? '?'}`,
  mode: g.mode,
  row: `${g.row ?? '---'} ${g.name}`,
  lag: countdown(g) ? '' : lag(g),
  epoch: String(g.epoch),
  leader: g.leader ? `${g.leader.id} (term ${g.leader.term})` : 'none',
  observers: g.observers.map((o) => `${o.idc} ${o.votes[g.active] ?? '?'}`).join('  '),
});

const left = (c: typeof HEAD | Cells, w: Widths): string =>
  `${padEnd(c.group, w.group)}  ${padEnd(c.active, w.active)}  ${padEnd(c.mode, w.mode)}  ${padEnd(c.row, w.row)}  `;

// One blank before EPOCH: its numbers are short and stand at the right edge of the column.
const lineOf = (c: typeof HEAD | Cells, w: Widths): string =>
  `${left(c, w)}${padEnd(c.lag, w.lag)} ${padStart(c.epoch, w.epoch)}  ${padEnd(c.leader, w.leader)}  `;

const groupLines = (g: GroupBody, c: Cells, w: Widths, style: Style): string[] => {
  const window = countdown(g);
  const line = window ? `${left(c, w)}${window}` : `${lineOf(c, w)}${c.observers}`;
  const indent = ' '.repeat(w.group + 2);
  const [first = '', ...more] = wrapKeepingHead(line, style.columns, indent);
  const votes = window ? wrap(`${indent}votes on ${g.active}: ${c.observers}`, style.columns, indent) : [];
  const notes = notesOf(g).flatMap((n) => wrap(`${indent}${n}`, style.columns, indent));
  return [style.paint(g.row, first), ...more, ...votes, ...notes];
};

/** As wrap(), without touching the runs of blanks that align the columns. */
const wrapKeepingHead = (line: string, columns: number, indent: string): string[] => {
  if (width(line.trimEnd()) <= columns) return [line.trimEnd()];
  const chars = Array.from(line);
  const at = chars.slice(0, columns + 1).lastIndexOf(' ');
  const rest = chars
    .slice(at + 1)
    .join('')
    .trimStart();
  return [chars.slice(0, at).join('').trimEnd(), ...wrap(`${indent}${rest}`, columns, indent)];
};

const lag = ({ lag: l }: GroupBody): string => {
  const arrow = ARROWS[l.trend];
  const suffix = arrow === '' ? '' : ` ${arrow}`;
  if (l.ms !== null) return `${(l.ms / 1000).toFixed(1)} s of ${seconds(l.budget.ms)} s${suffix}`;
  if (l.records !== null) return `${l.records} of ${l.budget.records} rec${suffix}`;
  return 'unknown';
};

/** The window of an acting row, or the step of an open saga; null when there is nothing to wait for. */
const countdown = (g: GroupBody): string | null => {
  if (g.saga) return `saga ${g.saga.id} at step ${g.saga.step ?? 'unknown'}`;
  if (!g.window) return null;
  const { fillMs, lengthMs, actsAt } = g.window;
  const full = lengthMs > 0 ? Math.min(BAR_CELLS, Math.floor((fillMs / lengthMs) * BAR_CELLS + 0.5)) : BAR_CELLS;
  const bar = '▓'.repeat(full) + '░'.repeat(BAR_CELLS - full);
  const gates = g.gate.filter((name) => name !== 'NOT_LEADER');
  const verb = gates.length > 0 || g.wouldDo !== 'failover' ? 'would act' : 'acts';
  const names = [...g.blockers.map((b) => b.name), ...gates];
  const blocked = names.length > 0 ? names.join(', ') : 'nothing';
  return `${bar} ${(fillMs / 1000).toFixed(1)} of ${seconds(lengthMs)} s, ${verb} ${clock(actsAt)}; blocked by: ${blocked}`;
};

const proposalNotes = ({ group, proposal: p }: GroupBody): string[] => {
  if (!p) return [];
  const what = `${p.act} ${p.source} → ${p.target}`;
  if (p.state === 'open') {
    const persons = `${p.approvals.length} of ${p.needed} approved`;
    return [`proposed: ${what}, until ${p.expiresAt}, ${persons}: pointsman approve ${group} --reason "…" (or reject)`];
  }
  return p.closed ? [`proposal ${p.state} by ${p.closed.by} at ${p.closed.at}: ${p.closed.reason}`] : [];
};

const scheduledNotes = ({ scheduled: s }: GroupBody): string[] =>
  s
    ? [`scheduled: ${s.act} to ${s.target} at ${s.at} by ${s.by}: ${s.reason}; taken back by: pointsman abort ${s.id}`]
    : [];

const notesOf = (g: GroupBody): string[] => [
  ...(g.row === STEADY || g.row === null ? [] : [g.state]),
  ...(g.selfFence ? [`self-fence ${g.selfFence.armed ? 'armed' : 'not armed'}: ${g.selfFence.says}`] : []),
  ...(g.pause ? [`paused by ${g.pause.owner} until ${g.pause.expiresAt}: ${g.pause.reason}`] : []),
  ...(g.pausedEverywhere
    ? [
        `everything is paused by ${g.pausedEverywhere.owner} until ${g.pausedEverywhere.expiresAt}: ${g.pausedEverywhere.reason}; ended by: pointsman resume --all`,
      ]
    : []),
  ...(g.modeSet ? [`mode ${g.mode} set by ${g.modeSet.by}: ${g.modeSet.reason}`] : []),
  ...proposalNotes(g),
  ...scheduledNotes(g),
  ...(g.frozen === null ? [] : [`frozen: ${g.frozen}; lifted by: pointsman ack ${g.group} --reason …`]),
  ...(g.lossAcceptance ? [`loss accepted by ${g.lossAcceptance.by} until ${g.lossAcceptance.expiresAt}`] : []),
];

/** True if every group is steady. */
export const allSteady = (groups: readonly GroupBody[]): boolean => groups.every((g) => g.row === STEADY);

import { BLOCKERS } from './blockers.js';
import { BLOCKER_BY_HAND_TEXTS, BY_HAND } from './by-hand.js';
import { COMBINATIONS, combinationsHeldByLastRow } from './check-tables.js';
import type { Policy } from './facts.js';
import { GATES } from './gates.js';
import type { Row } from './row.js';
import { TABLES } from './tables.js';
import { defaultPolicy } from './policy.js';
import type { WindowKind } from './windows.js';

const cell = (text: string): string => text.replaceAll('|', '\\|');
const row = (...cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
const table = (head: readonly string[], rows: readonly string[]): readonly string[] => [
  row(...head),
  row(...head.map(() => '---')),
  ...rows,
];

const { windows, partitionShare, observerLostMs } = defaultPolicy;
const seconds = (ms: number): string => `${ms / 1000} s`;

const WINDOW_TEXTS: Readonly<Record<WindowKind, string>> = {
  attested: `attested, ${seconds(windows.attestedMs)}`,
  service: `service, ${seconds(windows.serviceMs)}`,
  isolated: `isolated, ${seconds(windows.isolatedMs)}`,
  gray: `gray, ${seconds(windows.grayMs)}`,
  partition: `partition, ${seconds(windows.partitionMs)}`,
  blindSuspect: `blindSuspect, ${seconds(windows.blindSuspectMs)}`,
  classic: 're-check, 30 s',
};

const PRESET_TEXTS: Readonly<Record<Policy['preset'], string>> = {
  guarded:
    'The default. First match wins; every other row that matches is listed beside it, so that none hides an alert.',
  classic:
    'The rules of the seed documents: one reading, re-checked after 30 s. It moves traffic onto lagging copies, so mode `auto` asks for `acceptRisk: split-brain-and-loss`.',
};

const actionText = (r: Row): string =>
  r.actsOnlyIf === null ? r.action : `${r.action} only if ${r.actsOnlyIf.says}, else hold`;

function rowLine(r: Row): string {
  const condition = r.when.length === 0 ? 'everything else' : r.when.map((c) => c.says).join('; ');
  const alerts = r.alerts.map((a) => (a.due === 'held' ? `${a.type} (held)` : a.type)).join(', ');
  const window = r.window === null ? '' : WINDOW_TEXTS[r.window];
  const { says } = BY_HAND[r.byHand];
  return row(String(r.id), r.name, condition, window, actionText(r), says, alerts, `${r.sentence}; ${r.note}`);
}

const preset = (name: Policy['preset']): readonly string[] => [
  `## Preset \`${name}\``,
  '',
  PRESET_TEXTS[name],
  '',
  ...table(
    ['row', 'name', 'condition (all of it)', 'window', 'action in `auto`', 'by hand', 'alerts', 'what it means'],
    TABLES[name].map(rowLine),
  ),
  '',
];

/** docs/decision-matrix.md, from the tables that decide: the document cannot say anything else than the code. */
export function describeTables(): string {
  const held = combinationsHeldByLastRow().length;
  return [
    '# The decision matrix',
    '',
    '<!-- Generated from libs/failover/src/matrix by tools/decision-matrix; edit the tables, not this file. -->',
    '',
    'S is the active cluster, T the other member of the group. A row matches on its condition alone; its window only',
    'delays its action. In mode `approve` a failover becomes a proposal to a person, in `observe` nothing moves. Alerts',
    'marked "held" are due once the row has matched for 3p + t. "By hand" is what `pointsman failover` may order on that',
    'row, at once and without a window: a way past the blockers that it names, never a way round the table.',
    '',
    'p is `probe.period`, t is `probe.timeout`; windows are the defaults of `policy.windows`. No key of the configuration',
    `changes partitionShare (${partitionShare * 100} %) and observerLost (${seconds(observerLostMs)}).`,
    '',
    ...preset('guarded'),
    ...preset('classic'),
    '## Gates',
    '',
    'A closed gate turns the action into `none`; rows, windows and alerts go on.',
    '',
    ...table(
      ['gate', 'closed when', 'by hand'],
      GATES.map((g) => row(g.name, g.sentence, BLOCKER_BY_HAND_TEXTS[g.byHand])),
    ),
    '',
    '## Blockers',
    '',
    'All are evaluated for a row that wants to move, and all that hold are reported, each with the call that lifts it. A',
    'blocked row keeps its window, so lifting acts at once. "By hand": how the order of a person sets it aside',
    '(`--override NAME`).',
    '',
    ...table(
      ['blocker', 'when', 'rows', 'by hand'],
      BLOCKERS.map((b) => {
        const rows = [...TABLES.guarded, ...TABLES.classic].filter((r) => r.blockers.includes(b.name));
        return row(b.name, b.when, rows.map((r) => r.id).join(', '), BLOCKER_BY_HAND_TEXTS[b.byHand]);
      }),
    ),
    '',
    '## Coverage',
    '',
    `Of the ${COMBINATIONS.length} combinations of three votes in seven states, ${held} fall to row 900 and are held for a person;`,
    'they are listed in `libs/failover/src/matrix/__snapshots__/held-by-last-row.txt`.',
    '',
  ].join('\n');
}

import type { Json } from '#failover';
import type { SagaReport } from './saga-report.view.js';
import { memberOf } from './evidence.js';

/** The same as the JSON, for a ticket or a wiki page. */
export function reportMarkdown({ saga, figures, begun, clients, steps, acts }: SagaReport): string {
  const title = `# ${saga.kind} of ${saga.group}: ${saga.source} → ${saga.target}`;
  const facts = [
    ['saga', saga.id],
    ['outcome', saga.outcome ?? 'still open'],
    ['trigger', `${saga.trigger}, row ${saga.row}`],
    ['epoch', `${saga.fromEpoch} → ${saga.epoch}, term ${saga.term}`],
    ['opened', saga.openedAt],
    ['closed', saga.closedAt ?? '-'],
  ] as const;
  const votes = memberOf(figures, 'votes') ?? memberOf(begun, 'votes');
  return [
    title,
    table(['', ''], facts),
    section('Times', pairs(memberOf(figures, 'rto'))),
    section('Timeline', pairs(memberOf(figures, 'timeline'))),
    section('Loss', pairs(memberOf(figures, 'loss') ?? memberOf(begun, 'loss'))),
    section('Clients', pairs(clients)),
    section('Votes', votes === null ? null : `\`\`\`json\n${JSON.stringify(votes, null, 2)}\n\`\`\``),
    section(
      'Steps',
      table(
        ['at', 'step', '', 'what was seen'],
        steps.map((s) => [s.at, s.step, `${s.direction} ${s.event}`, s.summary ?? '']),
      ),
    ),
    section(
      'Who did what',
      acts.length === 0
        ? 'Nobody did anything.'
        : table(
            ['at', 'who', 'what', 'why'],
            acts.map((a) => [
              a.at,
              a.authenticated === null ? a.actor : `${a.actor} (${a.authenticated})`,
              a.action,
              a.reason,
            ]),
          ),
    ),
  ]
    .filter((part) => part !== null)
    .join('\n\n')
    .concat('\n');
}

const section = (title: string, body: string | null): string | null =>
  body === null ? null : `## ${title}\n\n${body}`;

/** What was written by others must not end a cell. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

const pairs = (value: Json): string | null => {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return null;
  const rows = Object.entries(value).map(([key, each]) => [key, each === null ? 'not known' : plain(each)] as const);
  return rows.length === 0 ? null : table(['', ''], rows);
};

const plain = (value: Json): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

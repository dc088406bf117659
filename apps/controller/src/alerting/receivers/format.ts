import type { Alert } from '../../persistence/alerts.port.js';
import type { Receiver } from '../alerting.options.js';

export type OutgoingRequest = Readonly<{ url: string; headers: Readonly<Record<string, string>>; body: string }>;
export type Answer = Readonly<{ status: number; body: string }>;

export type FormatContext = Readonly<{
  /** When this attempt is made. */
  nowMs: number;
  runbookUrl: string;
}>;

/** How one kind of receiver is spoken to. Pure. */
export type ReceiverFormat<R extends Receiver> = Readonly<{
  /** It keeps a state per incident: a late "it fires" must not open again what it was told is over. */
  keepsIncidents: boolean;
  /** At least this long between two requests. */
  minGapMs: number;
  /** True when no repetition can help. */
  refusesForGood: (answer: Answer) => boolean;
  request: (receiver: R, alert: Alert, context: FormatContext) => OutgoingRequest;
}>;

export const JSON_HEADERS = { 'content-type': 'application/json', 'user-agent': 'pointsman' } as const;

/** `docs/runbooks/held.md`, under whatever address the installation serves it. */
export const runbookOf = (alert: Alert, { runbookUrl }: FormatContext): string => `${runbookUrl}/${alert.type}.md`;

export const titleOf = (alert: Alert): string => `${alert.group}: ${alert.type.replaceAll('_', ' ')}`;

export const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;

import { randomUUID } from 'node:crypto';
import { read, tell } from '../api/calls.js';
import type { AlertDeliveryBody, AlertState } from '../api/types.js';
import { CliError, EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { clientFor } from './context.js';
import type { GlobalOptions } from './context.js';

const stateOf = (d: AlertDeliveryBody['deliveries'][number]): string => {
  if (d.deliveredAt !== null) return `${d.receiver} ok`;
  const why = d.lastError === null ? '' : ` (${d.lastError})`;
  return `${d.receiver} ${d.deadAt === null ? `tried ${d.attempts}×` : `GIVEN UP after ${d.attempts}×`}${why}`;
};

type ListOptions = GlobalOptions & Readonly<{ state: AlertState; limit: number }>;

/** What was told, newest first, and how it went at each receiver. */
export const alertListCommand = async (options: ListOptions, io: Io): Promise<ExitCode> => {
  const query = { state: options.state, limit: options.limit };
  const { text, body } = await read(clientFor(options, io), '/v1/alerts', { query });
  if (options.output === 'json') {
    io.out(text);
    return EXIT.ok;
  }
  const { alerts } = body;
  if (alerts.length === 0) io.out(options.state === 'all' ? 'no alerts' : `no alerts in state ${options.state}`);
  for (const { alert, deliveries } of alerts) {
    io.out(`${alert.at}  ${alert.id}  ${alert.group}  ${alert.type}: ${alert.reason}`);
    for (const delivery of deliveries) io.out(`    ${stateOf(delivery)}`);
  }
  return EXIT.ok;
};

export type AlertWriteOptions = GlobalOptions & Readonly<{ reason: string; by?: string; idempotencyKey?: string }>;

/** Sends a dead letter again, to every receiver that was given up on or to those named. */
export const alertResendCommand = async (
  id: string,
  options: AlertWriteOptions & Readonly<{ receiver: readonly string[] }>,
  io: Io,
): Promise<ExitCode> => {
  const receivers = options.receiver.length === 0 ? {} : { receivers: options.receiver };
  const { text, body } = await tell(clientFor(options, io), '/v1/alerts/{id}/resend', {
    path: { id },
    key: options.idempotencyKey ?? randomUUID(),
    body: { ...whoAndWhy(options, io), ...receivers },
  });
  io.out(options.output === 'json' ? text : `${id}: sent again to ${body.receivers.join(', ')}`);
  return EXIT.ok;
};

/** One alert to every receiver. Says what was queued; `pointsman alert list` says how it went. */
export const alertTestCommand = async (options: AlertWriteOptions, io: Io): Promise<ExitCode> => {
  const asked = { key: options.idempotencyKey ?? randomUUID(), body: whoAndWhy(options, io) };
  const { text, body } = await tell(clientFor(options, io), '/v1/alerts/test', asked);
  const [first] = body.alerts;
  if (first === undefined) throw new CliError('the controller queued nothing: report it', EXIT.error);
  const lines = [`${first.id} and its end are on their way to every receiver (incident ${body.incident})`];
  io.out(options.output === 'json' ? text : [...lines, 'how it went: pointsman alert list --limit 2'].join('\n'));
  return EXIT.ok;
};

const whoAndWhy = ({ reason, by }: AlertWriteOptions, io: Io) => {
  const person = by ?? io.environment.user;
  return { reason, ...(person === null ? {} : { by: person }) };
};

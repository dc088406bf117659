import { CliError, EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { clientFor } from './context.js';
import type { GlobalOptions } from './context.js';

type DeliveryBody = Readonly<{
  receiver: string;
  deliveredAt: string | null;
  deadAt: string | null;
  attempts: number;
  lastError: string | null;
}>;
type AlertBody = Readonly<{
  alert: Readonly<{ id: string; type: string; group: string; reason: string; at: string }>;
  deliveries: readonly DeliveryBody[];
}>;

const stateOf = (d: DeliveryBody): string => {
  if (d.deliveredAt !== null) return `${d.receiver} ok`;
  const why = d.lastError === null ? '' : ` (${d.lastError})`;
  return `${d.receiver} ${d.deadAt === null ? `tried ${d.attempts}×` : `GIVEN UP after ${d.attempts}×`}${why}`;
};

type ListOptions = GlobalOptions & Readonly<{ state: string; limit: number }>;

/** What was told, newest first, and how it went at each receiver. */
export const alertListCommand = async (options: ListOptions, io: Io): Promise<ExitCode> => {
  const params = new URLSearchParams({ state: options.state, limit: String(options.limit) });
  const text = await clientFor(options, io).get(`/v1/alerts?${params.toString()}`);
  if (options.output === 'json') {
    io.out(text);
    return EXIT.ok;
  }
  const { alerts } = JSON.parse(text) as { alerts: readonly AlertBody[] };
  if (alerts.length === 0) io.out(options.state === 'all' ? 'no alerts' : `no alerts in state ${options.state}`);
  for (const { alert, deliveries } of alerts) {
    io.out(`${alert.at}  ${alert.id}  ${alert.group}  ${alert.type}: ${alert.reason}`);
    for (const delivery of deliveries) io.out(`    ${stateOf(delivery)}`);
  }
  return EXIT.ok;
};

export type AlertWriteOptions = GlobalOptions & Readonly<{ reason: string; by?: string }>;

/** Sends a dead letter again, to every receiver that was given up on or to those named. */
export const alertResendCommand = async (
  id: string,
  options: AlertWriteOptions & Readonly<{ receiver: readonly string[] }>,
  io: Io,
): Promise<ExitCode> => {
  const receivers = options.receiver.length === 0 ? undefined : options.receiver;
  const text = await write(`/v1/alerts/${encodeURIComponent(id)}/resend`, { receivers }, options, io);
  const body = JSON.parse(text) as { receivers: readonly string[] };
  io.out(options.output === 'json' ? text : `${id}: sent again to ${body.receivers.join(', ')}`);
  return EXIT.ok;
};

/** One alert to every receiver. Says what was queued; `pointsman alert list` says how it went. */
export const alertTestCommand = async (options: AlertWriteOptions, io: Io): Promise<ExitCode> => {
  const text = await write('/v1/alerts/test', {}, options, io);
  const body = JSON.parse(text) as { incident: string; alerts: readonly Readonly<{ id: string; type: string }>[] };
  const [first] = body.alerts;
  if (first === undefined) throw new CliError('the controller queued nothing: report it', EXIT.error);
  const lines = [`${first.id} and its end are on their way to every receiver (incident ${body.incident})`];
  io.out(options.output === 'json' ? text : [...lines, 'how it went: pointsman alert list --limit 2'].join('\n'));
  return EXIT.ok;
};

const write = (path: string, fields: object, options: AlertWriteOptions, io: Io): Promise<string> => {
  const by = options.by ?? io.environment.user ?? undefined;
  return clientFor(options, io).write({ path, epoch: null, body: { reason: options.reason, by, ...fields } });
};

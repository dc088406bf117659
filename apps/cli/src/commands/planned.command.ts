import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import type { ApiClient } from '../api/client.js';
import { ProblemError } from '../api/problem-error.js';
import type { GroupBody, PlannedBody, TailBody } from '../api/types.js';
import { CliError, EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { planLines } from '../render/operation.js';
import { clientFor } from './context.js';
import type { GlobalOptions } from './context.js';
import { followSaga } from './follow-saga.js';
import { tailLines } from './tail.command.js';
import { quoted } from './write.command.js';

export type PlannedOptions = GlobalOptions &
  Readonly<{
    reason: string;
    by?: string;
    to?: string;
    dryRun?: boolean;
    confirm?: string;
    epoch?: number;
    idempotencyKey?: string;
    acceptUnfencedSource?: boolean;
    wait?: number; // ms
    choice?: string;
    exportTo?: string;
    strategy?: string;
    priority?: readonly string[];
    maxRecords?: number;
    maxDuration?: string;
    override?: readonly string[];
    at?: string; // RFC 3339 UTC
  }>;

/**
 * A switch that a person asks for: shows the plan, has the target's name typed (or given), opens the saga and follows its steps to the end.
 * Interrupted, it says so and the saga goes on.
 */
export const plannedCommand = async (
  act: 'switchover' | 'failback' | 'failover' | 'rejoin',
  group: string,
  options: PlannedOptions,
  io: Io,
): Promise<ExitCode> => {
  const client = clientFor(options, io);
  const path = `/v1/groups/${encodeURIComponent(group)}`;
  const epoch = options.epoch ?? (JSON.parse(await client.get(path)) as GroupBody).epoch;
  const by = options.by ?? io.environment.user ?? undefined;
  const named = options.choice === 'rebuild' ? await nameLost(client, path, options, io) : undefined;
  const send = async (dryRun: boolean): Promise<string> =>
    await client.write({
      path: `${path}/${act}`,
      epoch,
      key: options.idempotencyKey ?? randomUUID(),
      body: {
        ...{ reason: options.reason, by, dryRun, target: options.to },
        ...(act === 'failover' ? forceOf(options) : { acceptUnfencedSource: options.acceptUnfencedSource === true }),
        ...orderOf(options, named),
        ...(options.at === undefined ? {} : { at: options.at }),
      },
    });
  const rehearsed = await send(true);
  const plan = JSON.parse(rehearsed) as PlannedBody;
  if (options.dryRun === true) {
    io.out(options.output === 'json' ? rehearsed : planLines(plan).join('\n'));
    io.err('NOTHING WAS CHANGED: this was a dry run. To do it:');
    io.err(`  ${againCommand(act, group, options, { epoch, by, target: plan.target })}`);
    return EXIT.ok;
  }
  if (act !== 'rejoin') await confirm(plan, options, io); // a rejoin moves no traffic
  const told = await send(false);
  const begun = JSON.parse(told) as PlannedBody;
  if (begun.saga === null && begun.proposal !== undefined) {
    io.out(options.output === 'json' ? told : `${begun.group}: ${begun.summary}`);
    io.err(
      `nothing moves yet; with a token of their own: pointsman approve ${quoted(group)} --proposal ${begun.proposal.id} --reason "…"`,
    );
    return EXIT.ok;
  }
  if (begun.saga === null && begun.scheduled !== undefined) {
    io.out(options.output === 'json' ? told : `${begun.group}: ${begun.summary}`);
    for (const b of begun.blockedBy ?? [])
      io.err(`stands in its way now: ${b.name}: ${b.detail}; lifted by: ${b.liftedBy}`);
    io.err(`judged again then; pointsman abort ${begun.scheduled.id} --reason "…" takes it back`);
    return EXIT.ok;
  }
  if (begun.saga === null) throw new CliError('The controller opened no saga: look at pointsman events.', EXIT.error);
  return await followSaga(client, begun.saga, options, io);
};

/** Of a failover: what may be lost, and what is set aside by name. */
const forceOf = ({ maxRecords, maxDuration, override }: PlannedOptions): object => ({
  acceptLoss: { maxRecords, maxDuration },
  override,
});

/** Of a rejoin: what becomes of the tail. */
const orderOf = ({ choice, exportTo, strategy, priority }: PlannedOptions, confirm: string | undefined): object =>
  choice === undefined ? {} : { choice, destination: exportTo, strategy, priority, confirm };

const confirm = (plan: PlannedBody, options: PlannedOptions, io: Io): Promise<void> =>
  nameIt(
    { name: plan.target, what: `traffic of ${plan.group} would move to ${plan.target}`, lines: planLines(plan) },
    options,
    io,
  );

/** A rebuild deletes: what only that cluster holds is shown before anything is asked of the controller. @returns its name. */
async function nameLost(client: ApiClient, path: string, options: PlannedOptions, io: Io): Promise<string> {
  const { name, lines } = await lostOf(client, path, options);
  for (const line of lines) io.err(line);
  const what = `the group's topics on ${name} would be deleted and made anew, all that only it holds is gone`;
  if (options.dryRun !== true) await nameIt({ name, what, lines: [what] }, options, io);
  return name;
}

/** After break-glass, or on a restored store, no survey can be made: then a person names the cluster. */
async function lostOf(
  client: ApiClient,
  path: string,
  { to }: PlannedOptions,
): Promise<Readonly<{ name: string; lines: readonly string[] }>> {
  const body = await tailOf(client, path);
  if (body !== null && body.state === 'awaiting-choice' && (to === undefined || body.cluster === to))
    return { name: body.cluster, lines: tailLines(body) };
  if (to === undefined)
    throw new CliError('No survey of a returned cluster was made yet; after break-glass name it with --to', EXIT.error);
  return { name: to, lines: [`what only ${to} holds is not known: no survey of it was made`] };
}

async function tailOf(client: ApiClient, path: string): Promise<TailBody | null> {
  try {
    return JSON.parse(await client.get(`${path}/tail`)) as TailBody;
  } catch (error) {
    if (error instanceof ProblemError && error.problem.status === 404) return null;
    throw error;
  }
}

/** Without a terminal nothing is asked: the name must have been given. */
export async function nameIt(
  { name, what, lines }: Readonly<{ name: string; what: string; lines: readonly string[] }>,
  options: Pick<PlannedOptions, 'confirm'>,
  io: Io,
): Promise<void> {
  if (options.confirm !== undefined) {
    if (options.confirm === name) return;
    throw new CliError(`--confirm=${options.confirm} is not the cluster's name, which is ${name}`, EXIT.declined);
  }
  if (!io.canAsk) throw new CliError(`${what}: say --confirm=${name}`, EXIT.usage);
  for (const line of lines) io.err(line);
  const asked = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const typed = await asked.question(`Type the name of that cluster (${name.length} characters) to go on: `, {
      signal: io.signal,
    });
    if (typed.trim() !== name) throw new CliError('Declined: nothing was changed.', EXIT.declined);
  } finally {
    asked.close();
  }
}

function againCommand(
  act: string,
  group: string,
  options: PlannedOptions,
  seen: Readonly<{ epoch: number; by: string | undefined; target: string }>,
): string {
  return [
    ...['pointsman', act, quoted(group), '--to', quoted(seen.target), '--reason', quoted(options.reason)],
    ...(seen.by === undefined ? [] : ['--by', quoted(seen.by)]),
    ...(options.acceptUnfencedSource === true ? ['--accept-unfenced-source'] : []),
    ...(options.at === undefined ? [] : ['--at', options.at]),
    ...(options.maxRecords === undefined ? [] : ['--max-records', String(options.maxRecords)]),
    ...(options.maxDuration === undefined ? [] : ['--max-duration', quoted(options.maxDuration)]),
    ...(options.override ?? []).flatMap((name) => ['--override', quoted(name)]),
    ...(options.choice === undefined ? [] : ['--choice', options.choice]),
    ...(options.exportTo === undefined ? [] : ['--export-to', options.exportTo]),
    ...(options.strategy === undefined ? [] : ['--strategy', options.strategy]),
    ...(options.priority ?? []).flatMap((name) => ['--priority', quoted(name)]),
    ...['--epoch', String(seen.epoch), `--confirm=${quoted(seen.target)}`],
  ].join(' ');
}

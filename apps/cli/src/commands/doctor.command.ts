import { read } from '../api/calls.js';
import type { ApiClient } from '../api/client.js';
import type { ControllersBody } from '../api/types.js';
import { CliError, EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { wrap } from '../render/text.js';
import { checkConfigFile } from './check-config.js';
import type { Check } from './check.js';
import { clientOf, serversOf, tokenOf } from './context.js';
import type { GlobalOptions } from './context.js';

const MIN_NODE = [20, 19] as const;
const MAX_CLOCK_SKEW_MS = 2_000;

type Asked = Readonly<{ server: string; body: ControllersBody; skewMs: number; roundTripMs: number }>;

/**
 * Looks for what commonly goes wrong before it matters. With files and no --server it is a check of those files only, so
 * that it can run where no controller does yet. Exit 1 if any check fails.
 */
export const doctorCommand = async (
  options: GlobalOptions & Readonly<{ config?: readonly string[] }>,
  io: Io,
): Promise<ExitCode> => {
  const checks = await doctorChecks(options, io);
  if (options.output === 'json') io.out(JSON.stringify({ ok: checks.every((c) => c.ok), checks }));
  else for (const check of checks) for (const line of render(check, io.columns)) io.out(line);
  return checks.every((c) => c.ok) ? EXIT.ok : EXIT.error;
};

export async function doctorChecks(
  options: GlobalOptions & Readonly<{ config?: readonly string[] }>,
  io: Io,
): Promise<readonly Check[]> {
  const checks: Check[] = [nodeCheck(process.versions.node)];
  for (const file of options.config ?? []) checks.push(...(await checkConfigFile(file, io.signal)));
  if (!options.config || options.server.length > 0) checks.push(...(await fleetChecks(options, io)));
  return checks;
}

const render = ({ ok, name, found, remedy }: Check, columns: number): string[] =>
  wrap(`${ok ? 'ok  ' : 'BAD '}  ${name}: ${found}${remedy === null ? '' : `; ${remedy}`}`, columns, '      ');

const check = (name: string, ok: boolean, found: string, remedy: string): Check => ({
  name,
  ok,
  found,
  remedy: ok ? null : remedy,
});

export const nodeCheck = (version: string): Check => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const ok = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  return check('node', ok, version, `install Node ${MIN_NODE.join('.')} or newer`);
};

const fleetChecks = async (options: GlobalOptions, io: Io): Promise<Check[]> => {
  const token = tokenOf(options, io);
  const checks: Check[] = [];
  const asked: Asked[] = [];
  for (const server of serversOf(options, io)) {
    const result = await ask(server, clientOf(options, io, [server], token));
    if ('remedy' in result) checks.push(result);
    else {
      asked.push(result);
      const { answeredBy } = result.body;
      const found = `${answeredBy.id} ${answeredBy.version} answered in ${result.roundTripMs} ms`;
      checks.push(check(`controller ${server}`, true, found, ''), clockCheck(result));
    }
  }
  return [...checks, ...agreementChecks(asked)];
};

const ask = async (server: string, client: ApiClient): Promise<Asked | Check> => {
  const startMs = Date.now();
  try {
    const { body } = await read(client, '/v1/controllers');
    const endMs = Date.now();
    // The server stamped its time somewhere between sending and receiving: half-way is the best guess.
    const skewMs = Math.abs(Date.parse(body.time) - (startMs + endMs) / 2);
    return { server, body, skewMs, roundTripMs: endMs - startMs };
  } catch (e) {
    if (!(e instanceof CliError)) throw e;
    const remedy =
      e.exitCode === EXIT.notAuthorised
        ? 'give the token of http.tokenFile by --token-file or POINTSMAN_TOKEN_FILE'
        : 'is it running, and does http.listen match?';
    return check(`controller ${server}`, false, e.message.split('\n')[0] ?? '', remedy);
  }
};

const clockCheck = ({ server, skewMs, roundTripMs }: Asked): Check =>
  check(
    `clock of ${server}`,
    skewMs <= MAX_CLOCK_SKEW_MS + roundTripMs / 2,
    `${Math.round(skewMs)} ms apart from this machine`,
    'run a time service (chrony, ntpd): pauses and loss acceptances expire by the wall clock',
  );

const agreementChecks = (asked: readonly Asked[]): Check[] => {
  const [first] = asked;
  if (!first) return [];
  const leaders = unique(asked.map((a) => a.body.leader?.id ?? 'none'));
  const rows = first.body.controllers;
  const versions = unique(rows.map((r) => r.version));
  const digests = unique(rows.map((r) => r.policyDigest));
  const idcs = unique(rows.map((r) => r.idc));
  return [
    check(
      'leader',
      leaders.length === 1 && leaders[0] !== 'none',
      leaders.length === 1 ? `${leaders[0]}` : `controllers disagree: ${leaders.join(', ')}`,
      'wait for the lease time; if it stays so, check that every controller reaches the store',
    ),
    check('versions', versions.length <= 1, versions.join(', ') || 'none', 'finish the rolling upgrade'),
    check(
      'policy',
      digests.length <= 1,
      digests.length <= 1 ? 'equal on all controllers' : `${digests.length} different digests`,
      'make the configuration from clusters: on equal everywhere; CONFIG_DRIFT blocks failover until then',
    ),
    check(
      'controllers',
      idcs.length >= 3,
      `${rows.length} in ${idcs.length} IDC${idcs.length === 1 ? '' : 's'}`,
      'run one in each of three IDCs: the survivors of an IDC must be able to lead',
    ),
  ];
};

const unique = (values: readonly string[]): string[] => [...new Set(values)];

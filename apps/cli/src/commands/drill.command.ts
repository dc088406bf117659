import { randomUUID } from 'node:crypto';
import { read } from '../api/calls.js';
import type { ApiClient } from '../api/client.js';
import { ProblemError } from '../api/problem-error.js';
import type { PlannedBody, ProblemBody, ReadinessBody } from '../api/types.js';
import { CliError, EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { wrap } from '../render/text.js';
import type { Check } from './check.js';
import { clientFor } from './context.js';
import type { GlobalOptions } from './context.js';
import { doctorChecks } from './doctor.command.js';
import { readinessText } from './readiness.command.js';

export type DrillOptions = GlobalOptions & Readonly<{ to?: string; by?: string }>;

/** `blockedBy` empty: it would begin. */
type Rehearsed = Readonly<{
  possible: boolean;
  steps: readonly string[];
  blockedBy: ProblemBody['blockedBy'];
}>;

const REASON = 'drill: a rehearsal, nothing is changed';

/**
 * What would happen, asked of the same planner that would do it: readiness with RTO and RPO of an unplanned failover, the dry run of a
 * planned switch, and the checks of the doctor. Writes nothing anywhere. Exit 3 when anything stands in the way.
 */
export const drillCommand = async (group: string, options: DrillOptions, io: Io): Promise<ExitCode> => {
  const client = clientFor(options, io);
  const path = { group };
  const { body: seen } = await read(client, '/v1/groups/{group}', { path });
  const target = options.to ?? seen.standby;
  if (target === null) throw new CliError(`${group} has no standby: name the target with --to`, EXIT.usage);
  const { body: readiness } = await read(client, '/v1/groups/{group}/readiness', { path });
  const by = options.by ?? io.environment.user ?? undefined;
  const switchover = await rehearse(client, group, seen.epoch, { by, target });
  const checks = await doctorChecks(options, io);
  const good = readiness.ready && switchover.possible && checks.every((c) => c.ok);
  const drill = { group, source: seen.active, target, epoch: seen.epoch, good, readiness, switchover, checks };
  if (options.output === 'json') io.out(JSON.stringify(drill));
  else for (const line of drillLines(drill, io.columns)) io.out(line);
  io.err('NOTHING WAS CHANGED: this was a drill.');
  return good ? EXIT.ok : EXIT.degraded;
};

/** The planner's own dry run. A refusal is what a drill is for; that nobody may ask, or that nobody leads, is not. */
async function rehearse(client: ApiClient, group: string, epoch: number, wish: object): Promise<Rehearsed> {
  const path = `/v1/groups/${encodeURIComponent(group)}/switchover`;
  try {
    const body = { reason: REASON, dryRun: true, ...wish };
    const plan = JSON.parse(await client.write({ path, epoch, key: randomUUID(), body })) as PlannedBody;
    return { possible: true, steps: plan.steps.map((s) => s.step), blockedBy: [] };
  } catch (error) {
    if (!(error instanceof ProblemError) || error.problem.code !== 'refused') throw error;
    return { possible: false, steps: [], blockedBy: error.problem.blockedBy };
  }
}

type Drill = Readonly<{
  group: string;
  source: string;
  target: string;
  epoch: number;
  readiness: ReadinessBody;
  switchover: Rehearsed;
  checks: readonly Check[];
}>;

export function drillLines(drill: Drill, columns: number): readonly string[] {
  const { group, source, target, epoch, readiness, switchover, checks } = drill;
  const bad = checks.filter((c) => !c.ok);
  const steps = `would begin, ${switchover.steps.length} steps: ${switchover.steps.join(', ')}`;
  return [
    `drill of ${group}: ${source} → ${target}, from epoch ${epoch}`,
    ...readinessText(readiness, columns).split('\n'),
    ...wrap(`A planned switch to ${target} ${switchover.possible ? steps : 'would be REFUSED'}`, columns, '  '),
    ...switchover.blockedBy.flatMap((b) => wrap(`  ${b.name}: ${b.detail}; lifted by: ${b.liftedBy}`, columns, '    ')),
    bad.length === 0
      ? `doctor: ${checks.length} checks, all well`
      : `doctor: ${bad.length} of ${checks.length} checks are BAD`,
    ...bad.flatMap((c) => wrap(`  ${c.name}: ${c.found}${c.remedy === null ? '' : `; ${c.remedy}`}`, columns, '    ')),
  ];
}

import { hostname } from 'node:os';
import { join } from 'node:path';
import { newId } from '#platform';
import { Centers, type Follower } from '../break-glass/centers.js';
import { type Done, onClusters } from '../break-glass/clusters.js';
import {
  choose,
  type Chosen,
  type ControllerView,
  type Files,
  readController,
  sortFiles,
} from '../break-glass/controller-view.js';
import { checkEvidence, leaveEvidence, type Left, signingKey } from '../break-glass/evidence-file.js';
import { type Plan, planBreakGlass } from '../break-glass/plan.js';
import { byHand, doneLines, followerLines, planText, seenLines } from '../break-glass/say.js';
import { watchList } from '../break-glass/watch-list.js';
import { CliError, EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { checkConfigFile } from './check-config.js';
import { nameIt } from './planned.command.js';
import { quoted } from './write.command.js';

export type BreakGlassOptions = Readonly<{
  config: readonly string[];
  group: string;
  to: string;
  reason: string;
  by?: string;
  confirm?: string;
  dryRun?: boolean;
  evidenceDir?: string;
  output: 'table' | 'json';
}>;

/** Everything that is known before anything is changed. */
type Act = Readonly<{
  id: string;
  at: string;
  options: BreakGlassOptions;
  files: Files;
  view: ControllerView;
  chosen: Chosen;
  centers: Centers;
  plan: Plan;
  privatePem: string;
  io: Io;
}>;

type Outcome = 'begun' | 'published' | 'finished' | 'not published';

/**
 * Moves a group's pointer with no controller, no SQL store and no Redis: overtakes any living leader by a claim, lets the agents'
 * hands close the old side and open the new one where their credentials reach, publishes by the center's own rule, and leaves a
 * signed file. The controllers find an epoch that they did not reserve and freeze the group until a person acknowledges.
 */
export const breakGlassCommand = async (options: BreakGlassOptions, io: Io): Promise<ExitCode> => {
  const files = sortFiles(options.config);
  const view = await readController(files.controller, io.signal);
  const chosen = choose(view, options.group, options.to);
  const privatePem = await signingKey(view.keyFile, files.controller);
  await mustBeValid(files.agents, io.signal);
  const centers = new Centers(chosen.centers);
  try {
    const [id, at] = [newId(), new Date().toISOString()];
    const plan = planBreakGlass(await centers.standing(options.group), chosen, { id, target: options.to, at });
    const act: Act = { id, at, options, files, view, chosen, centers, plan, privatePem, io };
    if (options.dryRun === true) return await rehearse(act);
    const what = `traffic of ${options.group} would move to ${options.to}, past every controller`;
    await nameIt({ name: options.to, what, lines: planText(plan) }, options, io);
    return await carryOut(act);
  } finally {
    await centers.close();
  }
};

/** Exit 1 when the file was changed after it was signed, or by another key. */
export const breakGlassVerifyCommand = async (
  file: string,
  options: Readonly<{ key: string; output: 'table' | 'json' }>,
  io: Io,
): Promise<ExitCode> => {
  const verdict = await checkEvidence(file, options.key);
  if (options.output === 'json') io.out(JSON.stringify(verdict));
  else if (!verdict.ok) io.out(`evidence BROKEN: ${verdict.reason}`);
  else {
    const { group, by, at, outcome, reason } = verdict.evidence;
    io.out(`evidence whole: ${verdict.digest}`);
    io.out(`${String(group)}, ${String(outcome)} by ${String(by)} at ${String(at)}: ${String(reason)}`);
  }
  return verdict.ok ? EXIT.ok : EXIT.error;
};

async function rehearse(act: Act): Promise<ExitCode> {
  const { plan, io, options } = act;
  const seen = await onTheClusters(act, true);
  if (options.output === 'json') io.out(JSON.stringify({ dryRun: true, plan, seen }));
  else for (const line of [...planText(plan), 'Now:', ...seenLines(seen, io.columns)]) io.out(line);
  io.err('NOTHING WAS CHANGED: this was a dry run. To do it:');
  io.err(`  ${againCommand(options)}`);
  return EXIT.ok;
}

async function carryOut(act: Act): Promise<ExitCode> {
  const { plan, centers, io } = act;
  await begin(act);
  if (plan.kind === 'publish' && !(await centers.claim(plan.pointer)))
    throw new CliError('Another one claimed the group meanwhile; nothing was changed. Run it again.', EXIT.refused);
  const done = await onTheClusters(act, false);
  const problem = plan.kind === 'publish' ? await centers.publish(plan.pointer, plan.before) : null;
  if (problem !== null) {
    await end(act, 'not published', done, []);
    for (const line of doneLines(done, io.columns)) io.err(line);
    throw new CliError(`NOT PUBLISHED: ${problem}. Look at the pointer, then run it again.`, EXIT.refused);
  }
  const followers = await centers.follow(plan.pointer);
  const left = await end(act, plan.kind === 'publish' ? 'published' : 'finished', done, followers);
  return say(act, done, followers, left);
}

/** `dryRun` only looks. */
async function onTheClusters({ files, plan, view, chosen, io }: Act, dryRun: boolean): Promise<readonly Done[]> {
  const watch = await watchList(view, chosen.group, plan);
  return await onClusters({ agents: files.agents, goals: plan.goals, watch, dryRun, signal: io.signal });
}

function say(act: Act, done: readonly Done[], followers: readonly Follower[], left: Left | null): ExitCode {
  const { plan, options, view, io } = act;
  const { group, activeCluster, epoch } = plan.pointer;
  const whole = done.every((d) => d.reached) && followers.every((f) => f.followed) && left !== null;
  if (options.output === 'json') {
    io.out(JSON.stringify({ group, active: activeCluster, epoch, whole, done, followers, evidence: left }));
  } else {
    io.out(`${group}: ${activeCluster} is ${plan.kind === 'publish' ? 'PUBLISHED' : 'active'} at epoch ${epoch}`);
    for (const line of [...doneLines(done, io.columns), ...followerLines(followers)]) io.out(line);
    if (left !== null) io.out(`evidence: ${left.path}\n          ${left.digest}`);
  }
  const servers = new Map(view.clusters.map((c) => [c.name, c.bootstrapServers]));
  for (const line of byHand(done, servers)) io.err(line);
  const evidence = left === null ? '' : ` --evidence ${quoted(left.path)}`;
  io.err('The controllers will show the group FROZEN when they are back. When all is as it should be:');
  io.err(`  pointsman ack ${quoted(group)} --reason ${quoted(options.reason)}${evidence}`);
  return whole ? EXIT.ok : EXIT.degraded;
}

/** An act that could leave no evidence is not begun. */
async function begin(act: Act): Promise<void> {
  try {
    await leave(act, 'begun', [], []);
  } catch (cause) {
    const message = `no evidence can be left, so nothing was begun: ${textOf(cause)}; give --evidence-dir`;
    throw new CliError(message, EXIT.error, { cause });
  }
}

/** By now there is nothing left to refuse: what was done is said on the terminal. */
async function end(
  act: Act,
  outcome: Outcome,
  done: readonly Done[],
  followers: readonly Follower[],
): Promise<Left | null> {
  try {
    return await leave(act, outcome, done, followers);
  } catch (error) {
    act.io.err(`pointsman: the evidence could not be written: ${textOf(error)}`);
    return null;
  }
}

function leave(act: Act, outcome: Outcome, done: readonly Done[], followers: readonly Follower[]): Promise<Left> {
  const { id, at, options, files, view, plan, privatePem, io } = act;
  const { group, reason } = options;
  const login = io.environment.user;
  const evidence = {
    ...{ version: 1, kind: 'pointsman break-glass', id, outcome, group, at, endedAt: new Date().toISOString() },
    ...{ by: options.by ?? login, login, host: hostname(), reason, files: [files.controller, ...files.agents] },
    ...{ before: plan.before, pointer: plan.pointer, done, followers },
  };
  const dir = options.evidenceDir ?? join(view.dataDir, 'break-glass');
  return leaveEvidence(dir, `${group}-${id}`, evidence, privatePem);
}

async function mustBeValid(agents: readonly string[], signal: AbortSignal): Promise<void> {
  const checks = (await Promise.all(agents.map((file) => checkConfigFile(file, signal)))).flat();
  const bad = checks.filter((check) => !check.ok).map((check) => check.found);
  if (bad.length > 0) throw new CliError(bad.join('\n'), EXIT.usage);
}

const againCommand = ({ config, group, to, reason, by, evidenceDir }: BreakGlassOptions): string =>
  [
    ...['pointsman', 'break-glass', ...config.flatMap((file) => ['--config', quoted(file)])],
    ...['--group', quoted(group), '--to', quoted(to), '--reason', quoted(reason)],
    ...(by === undefined ? [] : ['--by', quoted(by)]),
    ...(evidenceDir === undefined ? [] : ['--evidence-dir', quoted(evidenceDir)]),
    `--confirm=${quoted(to)}`,
  ].join(' ');

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

import { checkoutRoot, labLogin, waitFor } from '#lab';
import { z } from 'zod';
import { GROUP } from '../installation/index.js';
import type { LoadEvent } from '../load/options.js';
import { PlainWriter } from '../load/plain-writer.js';
import { type LogEnds, logEnds } from './log-ends.js';
import type { LogReader } from './log-reader.js';
import type { Failback, Tail } from './result.js';
import { clientsGoOn, type Kill } from './scenes.js';
import { type Stage, TOPIC } from './stage.js';
import type { View } from './view.js';
import { proveFailback, tailOf } from './way-back-proof.js';

const FENCED_MS = 60_000;
const WAITING_MS = 60_000;
const SURVEYED_MS = 90_000;
const STEADY_MS = 90_000;
const READ_MS = 40_000;
const SHOWN_REFUSAL = 160;
/** A step's line of `pointsman`: its instant, then what is said. */
const STEP = /^\d{4}-\d\d-\d\dT\S+Z (?<said>.+)$/;

const tailSchema = z.object({ tail: z.object({ records: z.number() }) });
const operationSchema = z.object({
  outcome: z.string().nullable(),
  openedAt: z.string(),
  closedAt: z.string().nullable(),
});

export type Returned = Readonly<{ reader: LogReader; homeEnds: LogEnds; tail: Tail }>;

/** IDC a comes back whole, while an application that knows no pointer goes on writing to it. Closes with the tail, counted twice. */
export async function idcReturns(stage: Stage, view: View, kill: Kill): Promise<Returned> {
  view.scene('IDC a is started again');
  const { lab, installation } = stage;
  const writer = PlainWriter.start(lab.directBootstrapServers('a'), TOPIC, labLogin(lab.security, 'app'));
  view.say('a plain client, without the wrapper, writes to a from its first breath on');
  try {
    await lab.start({ idc: 'a' });
    const refusal = await waitFor('a refuses a plain client', () => writer.first('refused'), {
      timeoutMs: FENCED_MS,
    });
    const said = refusal.error instanceof Error ? refusal.error.message : String(refusal.error);
    view.good(`a is closed: ${writer.count('accepted')} records got in, then “${said.slice(0, SHOWN_REFUSAL)}”`);
  } finally {
    await writer.close();
  }
  await installation.waitForGroup('row 600', (g) => g.row === 600, { timeoutMs: WAITING_MS });
  view.good('row 600: nothing goes back by itself; a waits for a person');
  const reported = await waitFor(
    'the survey of the returned cluster',
    async () => tailSchema.parse(await installation.api('b').get(`/v1/groups/${GROUP}/tail`)).tail.records,
    { timeoutMs: SURVEYED_MS, pollMs: 250 },
  );
  await command(stage, view, ['tail', GROUP]);
  const reader = await stage.readAlso('a');
  await Promise.all([reader.readToEnd(READ_MS), stage.reader.readToEnd(READ_MS)]);
  const records = tailOf(reader.records, stage.reader.records, kill.copiedUpTo).length;
  view.say(`an independent reader of both logs counts ${records} records that only a holds`);
  return { reader, homeEnds: await logEnds(lab.kafka('a'), TOPIC), tail: { records, reported } };
}

/** The tail goes to a file, a becomes the standby, and the copy catches up: the group could fail over again. */
export async function rejoin(stage: Stage, view: View): Promise<void> {
  view.scene('An operator takes a back as the standby');
  await act(stage, view, ['rejoin', GROUP, '--choice', 'export', '--reason', 'IDC a is back']);
  await stage.installation.waitForSteady(STEADY_MS);
  view.good('every controller says 800 Steady: b → a copies within its budget');
}

/** Home again as a planned switchover, while orders go on; then every order is counted. */
export async function failBack(stage: Stage, view: View, kill: Kill, returned: Returned): Promise<Failback> {
  view.scene('And home: a planned switchover under load');
  await act(stage, view, ['failback', GROUP, '--reason', 'home again', '--confirm=a']);
  await clientsGoOn(stage, view, 'a');
  const { outcome, openedAt, closedAt } = await lastSaga(stage);
  const promised = await readWhatWasPromised(stage);
  await stage.load.stop();
  await returned.reader.readToEnd(READ_MS);
  const since = { epoch: kill.epoch, homeEnds: returned.homeEnds };
  const proof = proveFailback(stage.load.events(), returned.reader.records, 'a', since, promised);
  return { ...proof, outcome, durationMs: closedAt === null ? null : Date.parse(closedAt) - Date.parse(openedAt) };
}

async function lastSaga(stage: Stage): Promise<z.infer<typeof operationSchema>> {
  const pointer = await stage.installation.pointer();
  return operationSchema.parse(await stage.installation.api('b').get(`/v1/operations/${pointer?.sagaId}`));
}

/** The load ends its consumers with its producers: what was promised by now must be read before, or it counts as skipped. */
async function readWhatWasPromised({ load }: Stage): Promise<ReadonlySet<string>> {
  const ids = (kind: LoadEvent['kind']) => new Set(load.events().flatMap((e) => (e.kind === kind ? [e.id] : [])));
  const promised = ids('acknowledged');
  const allRead = (): true | undefined => {
    const read = ids('consumed');
    return [...promised].every((id) => read.has(id)) ? true : undefined;
  };
  await waitFor('every promised order is read', allRead, { timeoutMs: READ_MS, pollMs: 1_000 }).catch(() => undefined);
  return promised;
}

/** Waits until the controllers would do it (a dry run says so, and changes nothing), then does it. */
async function act(stage: Stage, view: View, args: readonly string[]): Promise<void> {
  await waitFor(
    `pointsman ${args.join(' ')}`,
    async () => {
      const { exitStatus, err } = await stage.operator.run([...args, '--dry-run']);
      if (exitStatus !== 0) throw new Error(err.join('; '));
      return true as const;
    },
    { timeoutMs: WAITING_MS, pollMs: 1_000 },
  );
  await command(stage, view, args);
}

async function command(stage: Stage, view: View, args: readonly string[]): Promise<void> {
  const quoted = args.map((arg) => (arg.includes(' ') ? `"${arg}"` : arg));
  view.say(`$ pointsman ${quoted.join(' ')}`);
  const { exitStatus } = await stage.operator.run(args, (line) => show(view, line));
  if (exitStatus !== 0) throw new Error(`pointsman ${args[0]} ended with ${exitStatus}`);
}

/** Steps stand at the view's own time, each once, when it has ended; paths are as seen from the checkout. */
function show(view: View, line: string): void {
  const text = line.replaceAll(`${checkoutRoot()}/`, '');
  const said = STEP.exec(text)?.groups?.['said'];
  if (said === undefined) view.block(text);
  else if (!said.endsWith('…')) view.say(said);
}

import { setTimeout as delay } from 'node:timers/promises';
import type { LabClusterName, LabIdc } from '#lab';
import { DEMO_PROFILE, GROUP, type GroupStatus } from '../installation/index.js';
import { type LogEnds, logEndsAtRest } from './log-ends.js';
import type { FalseAlarm } from './result.js';
import { type Stage, TOPIC } from './stage.js';
import type { View } from './view.js';

const STEADY_MS = 90_000;
/** How long a false alarm lasts: longer than every window of the demo profile. */
const FALSE_ALARM_MS = 14_000;

type Seen = Readonly<{ idc: LabIdc; group: GroupStatus }>;

/** Agent a is frozen for longer than the window: one observer never moves traffic. */
export async function frozenAgent(stage: Stage, view: View): Promise<FalseAlarm> {
  view.scene('False alarm 1: agent a freezes');
  await stage.lab.freeze({ process: 'agent-a' });
  view.say('SIGSTOP to agent a; Kafka in a is well');
  const seen = await watch(stage, view, ['a', 'b', 'c']);
  view.say('pointsman explain:');
  view.block(await explainText(stage, 'a'));
  await stage.lab.thaw({ process: 'agent-a' });
  return settle(stage, view, 'agent frozen', seen);
}

/** The link a–b is cut: both sides live, so nothing moves however long it lasts. */
export async function cutLink(stage: Stage, view: View): Promise<FalseAlarm> {
  view.scene('False alarm 2: the link between a and b is cut');
  await stage.lab.cut('a', 'b');
  view.say('nothing passes between a and b, both ways; c sees both');
  const seen = await watch(stage, view, ['a', 'b', 'c']);
  for (const { idc, group } of seen) view.say(`controller ${idc}: ${group.row} ${group.name}`);
  await stage.lab.heal('a', 'b');
  const alarm = await settle(stage, view, 'link cut', seen);
  const rowsOk = seen.every(({ idc, group }) =>
    idc === 'a' ? [300, 610, 700].includes(group.row ?? 0) : group.row === 300,
  );
  if (!rowsOk) view.bad('a controller saw another row than 300 (b, c) or 610/700 (a)');
  return alarm;
}

/** Watches the rows for the length of the false alarm; returns what each controller said last. */
async function watch(stage: Stage, view: View, seenBy: readonly LabIdc[]): Promise<Seen[]> {
  const until = performance.now() + FALSE_ALARM_MS;
  let last: Seen[] = [];
  while (performance.now() < until) {
    last = await Promise.all(seenBy.map(async (idc) => ({ idc, group: await stage.installation.group(idc) })));
    view.setStatus(statusLine(stage, last[0]?.group ?? null));
    await delay(500);
  }
  return last;
}

async function settle(stage: Stage, view: View, name: string, seen: readonly Seen[]): Promise<FalseAlarm> {
  const pointer = await stage.installation.pointer();
  const moved = pointer?.activeCluster !== 'a' || pointer.epoch !== 1;
  const row = seen.find((s) => s.idc === 'c')?.group.row ?? null;
  if (moved) view.bad(`traffic moved: ${JSON.stringify(pointer)}`);
  else view.good(`nothing moved: row ${row} ${seen.find((s) => s.idc === 'c')?.group.name ?? ''}`);
  await stage.installation.waitForSteady(STEADY_MS);
  view.good('healed: every controller says 800 Steady');
  return { name, moved, row };
}

export type Kill = Readonly<{
  killedAtMs: number;
  seenBefore: ReadonlySet<string>;
  copiedUpTo: LogEnds; // of b, when the copy had stopped and nobody else wrote there yet
  epoch: number;
  sagaId: string;
  publishedAtMs: number;
}>;

/** IDC a dies: brokers, Connect, agent and the leading controller, all by SIGKILL in one blow. */
export async function killIdc(stage: Stage, view: View): Promise<Kill> {
  view.scene('IDC a is killed with kill -9: brokers, Connect, agent and the leading controller');
  const leader = await stage.installation.leader();
  view.say(`controller ${leader ?? 'nobody'} leads; ${stage.load.stats?.acknowledged ?? 0} orders acknowledged so far`);
  const seenBefore = stage.reader.seen();
  const killedAtMs = Date.now();
  await stage.lab.kill({ idc: 'a' });
  view.say('killed');
  const copiedUpTo = await logEndsAtRest(stage.lab.kafka('b'), TOPIC, 5_000); // the window is longer
  const pointer = await followToPointer(stage, view);
  view.good(
    `published: ${pointer.activeCluster} at epoch ${pointer.epoch}, ${((Date.now() - killedAtMs) / 1000).toFixed(1)} s after the kill`,
  );
  if (pointer.sagaId === null) throw new Error('the published pointer names no saga');
  const { epoch, sagaId, publishedAt } = pointer;
  return { killedAtMs, seenBefore, copiedUpTo, epoch, sagaId, publishedAtMs: Date.parse(publishedAt) };
}

async function followToPointer(
  stage: Stage,
  view: View,
): Promise<{ activeCluster: string; epoch: number; sagaId: string | null; publishedAt: string }> {
  const waiting = stage.installation.waitForPointer('b', 1, 120_000);
  let done = false;
  const finished = waiting.finally(() => {
    done = true;
  });
  let lastStep = '';
  const follow = async (): Promise<void> => {
    while (!done) {
      const group = await stage.installation
        .api('c')
        .get<GroupStatus & { saga?: { step: string } | null }>(`/v1/groups/${GROUP}`);
      const step = group.saga?.step ?? '';
      if (step !== lastStep && step !== '') view.say(`step ${step}`);
      lastStep = step;
      view.setStatus(statusLine(stage, group));
      await delay(200);
    }
  };
  const [pointer] = await Promise.all([finished, follow()]);
  return pointer;
}

/** Waits until clients produce and consume on `at`, and go on for a while. */
export async function clientsGoOn(stage: Stage, view: View, at: LabClusterName): Promise<void> {
  await stage.load.waitForStats(
    `goes on at ${at}`,
    (s) => s.lastAckCluster === at && s.lastConsumedCluster === at,
    60_000,
  );
  view.good(`producers and consumers go on at ${at}; their process was never restarted`);
  await delay(5_000);
}

export async function explainText(stage: Stage, idc: LabIdc): Promise<string> {
  const { text } = await stage.installation.api(idc).get<{ text: string }>(`/v1/groups/${GROUP}/explain`);
  return text.split('\n').slice(0, 14).join('\n');
}

function statusLine(stage: Stage, group: GroupStatus | null): string {
  const { stats } = stage.load;
  const load =
    stats === null
      ? ''
      : `${stats.acknowledged} orders, ${stats.unanswered} waiting, on ${stats.lastAckCluster || '–'}`;
  const decision = group === null ? '' : `${GROUP}: ${group.active}  ${group.row} ${group.name}`;
  return `${decision}  ·  ${load}  ·  ${stage.receiver.alerts.length} alerts`;
}

export const demoWindowNote = `windows of the demo profile (not the default): attested ${DEMO_PROFILE.windows.attested}, service and isolated ${DEMO_PROFILE.windows.service}`;

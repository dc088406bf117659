import { expect, it } from 'vitest';
import { waitFor } from '#lab';
import type { ReceivedAlert } from '../../tools/demo/webhook-receiver.js';
import { secretFile } from '../../tools/installation/config-files.js';
import { DEMO_PROFILE, GROUP, Operator } from '../../tools/installation/index.js';
import { figure } from './support/figures.js';
import { Load } from './support/load.js';
import { OnCall } from './support/on-call.js';
import { endOfSwitch } from './support/planned.js';
import { Stage, TOPIC } from './support/stage.js';
import { StoreWindow } from './support/store-window.js';

const ALERT_MS = 40_000;
/** A story is over when it was quiet for 30 s; on two cores the leader changes meanwhile. */
const RESOLVED_MS = 90_000;

type Night = Readonly<{
  stage: Stage;
  onCall: OnCall;
  load: Load;
  admin: Operator;
  ann: Operator;
  kim: Operator;
}>;

/** What an operator meets between suspicion and the morning, at a shell and on a pager, in one story. Takes about 90 s; at most 180. */
it('a night on call: paged, explained, called off, paused and resumed, failed over by two persons, reported, audited', async () => {
  const beganMs = performance.now();
  const open: (() => Promise<void>)[] = [];
  let stage: Stage | null = null;
  try {
    const onCall = await OnCall.start();
    open.push(() => onCall.close());
    const set = await Stage.set({
      installation: {
        profile: DEMO_PROFILE, // a window that leaves a person the time to type
        receivers: onCall.receivers,
        group: { mode: 'approve', approvals: 2, openTransactions: { wait: '20s', onTimeout: 'abort-switchover' } },
      },
    });
    stage = set;
    open.push(() => set.close());
    const admin = new Operator(set.installation);
    const [ann, kim] = [await person(set, admin, 'ann'), await person(set, admin, 'kim')];
    const load = await Load.start(set.lab);
    open.push(() => load.stop());
    await load.waitForStats('orders flow', (s) => s.acknowledged > 100 && s.lastConsumedCluster === 'a');
    const night = { stage: set, onCall, load, admin, ann, kim };

    const falseAlarm = await suspicion(night);
    await calledOff(night);
    const incident = await failover(night);
    await morning(night);
    await expectOneStory(night, incident);
    await expectResolved(night, falseAlarm);
    expect(set.receiver.signatureFailures).toBe(0);
    expect(onCall.shortestGapMs()).toBeGreaterThanOrEqual(950); // Slack: one message a second
    figure(
      `the night took ${Math.round((performance.now() - beganMs) / 1000)} s, set-up included; ` +
        `${set.receiver.alerts.length} alerts, ${onCall.pages().length} pages`,
    );
  } catch (error) {
    if (stage !== null) process.stderr.write(`${await stage.report()}\n`);
    throw error;
  } finally {
    for (const close of open.toReversed()) await close().catch(() => undefined); // what failed is told already
  }
}, 300_000);

/** The brokers of a fall silent. One person looks, pauses before anything is decided, and lets go when a is back. */
async function suspicion({ stage, ann }: Night): Promise<string> {
  const { lab, installation } = stage;
  await lab.freeze({ cluster: 'a' });
  const suspected = await alert(stage, 'suspected');
  const why = await says(ann, 0, 'explain', GROUP);
  expect(why).toMatch(/^orders: row \d+ \w+/);
  expect(why).toContain('votes');
  const paused = await says(ann, 0, 'pause', GROUP, '--reason', 'looking at a first', '--expires-in', '15m');
  expect(paused).toMatch(/^orders: paused by ann until /);
  expect(await says(ann, 3, 'status')).toMatch(/paused/i);
  await lab.thaw({ cluster: 'a' });
  await installation.waitForSteady(60_000);
  expect(await says(ann, 0, 'resume', GROUP, '--reason', 'a was out of memory, and is back')).toMatch(/resumed/);
  await says(ann, 6, 'resume', GROUP, '--reason', 'again');
  expect(stage.alertTypes()).not.toContain('needs_operator');
  return suspected.incident;
}

/** A planned switch that stands before an open transaction, and is called off: everything is as it was, traffic flows. */
async function calledOff({ stage, load, ann }: Night): Promise<void> {
  const endTransaction = await openTransaction(stage);
  try {
    const order = ['--to', 'b', '--reason', 'memory of a', '--accept-unfenced-source', '--confirm=b', '--wait', '6s'];
    const following = await waitFor(
      'the switch is under way',
      async () => {
        const said = await ann.run(['switchover', GROUP, ...order]);
        if (said.exitStatus !== 4) throw new Error([...said.out, ...said.err].join('\n'));
        return said.err.join('\n');
      },
      { timeoutMs: 60_000, pollMs: 1_000 },
    );
    const saga = /pointsman abort (\S+) /.exec(following)?.[1] ?? '';
    expect(await says(ann, 0, 'abort', saga, '--reason', 'not tonight')).toContain('aborted; it walks back');
    expect(await endOfSwitch(stage, saga)).toMatchObject({ outcome: 'ABORTED' });
    await says(ann, 6, 'abort', saga, '--reason', 'again');
  } finally {
    await endTransaction();
  }
  const pointer = await stage.installation.pointer();
  expect(pointer).toMatchObject({ activeCluster: 'a', mode: 'ACTIVE' });
  expect(pointer?.epoch).toBeGreaterThan(1);
  const { acknowledged } = await load.waitForStats('answers', () => true);
  await load.waitForStats('goes on at a', (s) => s.acknowledged > acknowledged + 100 && s.lastAckCluster === 'a');
  await stage.installation.waitForSteady(60_000);
}

/** IDC a dies, the leader in it. What would be done waits for two persons; resolves to the incident's key. */
async function failover({ stage, onCall, load, ann, kim }: Night): Promise<string> {
  const before = stage.receiver.alerts.length;
  await stage.lab.kill({ idc: 'a' });
  const suspected = await alert(stage, 'suspected', before);
  const asked = await alert(stage, 'needs_operator', before);
  expect(asked.incident).toBe(suspected.incident);
  await expect
    .poll(() => onCall.firing(suspected.incident), { timeout: ALERT_MS })
    .toMatchObject({ labels: { alertname: 'PointsmanFailover', group: GROUP, severity: 'critical' } });
  expect(await says(kim, 0, 'explain', GROUP)).toContain('approve');
  const epoch = (await stage.installation.pointer())?.epoch ?? 0;
  const yes = ['approve', GROUP, '--reason', 'INC-4711: a has no power'];
  // A sample that comes late on a busy machine may hold the move up for a moment: she looks before she says it.
  const wouldDo = async () => (await ann.run([...yes, '--dry-run'])).exitStatus;
  await expect.poll(wouldDo, { timeout: ALERT_MS, interval: 500 }).toBe(0);
  expect(await says(ann, 0, ...yes)).toMatch(/1 of 2 persons approved failover a → b/);
  expect(await says(ann, 6, ...yes)).toContain('SAME_PERSON');
  expect(await stage.moved('a', epoch), 'after one yes').toBeUndefined();
  expect(await says(kim, 0, ...yes)).toContain('orders: DONE');
  expect(await stage.installation.pointer()).toMatchObject({ activeCluster: 'b', mode: 'ACTIVE' });
  await load.waitForStats('goes on at b', (s) => s.lastAckCluster === 'b' && s.lastConsumedCluster === 'b');
  return suspected.incident;
}

/** What is still firing is acknowledged; the report is read, and the record is proved whole, and forged, and whole again. */
async function morning({ stage, onCall, admin, kim }: Night): Promise<void> {
  const moved = stage.receiver.alerts.findLastIndex((a) => a.type === 'acting');
  await alert(stage, 'completed', moved);
  await alert(stage, 'dr_not_ready', moved);
  expect(await says(kim, 0, 'ack', GROUP, '--reason', 'a stays down until its power is back')).toMatch(/acknowledged/);
  await expect
    .poll(() => onCall.pages().map((page) => page.event_action), { timeout: ALERT_MS })
    .toContain('acknowledge');

  const report = await says(kim, 0, 'report', GROUP);
  const told = ['# failover of orders: a → b', '## Times', '## Loss', '## Votes', '## Who did what'];
  const acts = ['pause', 'resume', 'switchover asked for', 'approve', 'acknowledge'].map((act) => `| ${act} |`);
  for (const part of [...told, ...acts, 'operator:ann', 'operator:kim', 'INC-4711']) expect(report).toContain(part);
  const { out } = await kim.run(['report', GROUP, '-o', 'json']);
  expect(JSON.parse(out.join('\n'))).toMatchObject({
    saga: { kind: 'failover', source: 'a', target: 'b', outcome: 'DONE' },
    figures: { rto: expect.any(Object) as object, loss: expect.any(Object) as object },
  });

  const [, kept] = /last (\d+:[0-9a-f]{64})/.exec(await says(admin, 0, 'audit', 'verify')) ?? [];
  const store = StoreWindow.open(await stage.lab.postgresUrl('c'));
  try {
    const { seq, mend } = await store.forgeAudit('approve');
    expect(await says(admin, 1, 'audit', 'verify')).toContain(`audit BROKEN at row ${seq}`);
    await mend();
  } finally {
    await store.close();
  }
  await says(admin, 0, 'audit', 'verify', '--expect', String(kept));
}

/** From suspicion to its end under one key, at every receiver, by the receiver's own rules. */
async function expectOneStory({ stage, onCall }: Night, incident: string): Promise<void> {
  const story = ['suspected', 'needs_operator', 'acting', 'completed'];
  const told = stage.receiver.alerts.filter((a) => a.incident === incident).map((a) => a.type);
  expect(told.filter((type) => story.includes(type))).toEqual(story);
  await expect.poll(() => onCall.pagesOf(incident).at(-1)?.event_action, { timeout: ALERT_MS }).toBe('resolve');
  const pages = onCall.pagesOf(incident).filter((page) => story.includes(page.payload.class));
  expect(pages.map((page) => page.event_action)).toEqual(['trigger', 'trigger', 'trigger', 'resolve']);
  expect(pages.map((page) => page.payload.class)).toEqual(story);
  await expect.poll(() => onCall.messagesOf(incident).length, { timeout: ALERT_MS }).toBe(told.length);
  await expect.poll(() => onCall.firing(incident), { timeout: ALERT_MS }).toBeNull();
}

/** The false alarm of the evening: told, and over by itself. */
async function expectResolved({ stage, onCall }: Night, incident: string): Promise<void> {
  const of = (type: string): boolean => stage.receiver.alerts.some((a) => a.incident === incident && a.type === type);
  expect(of('suspected')).toBe(true);
  await expect.poll(() => of('resolved'), { timeout: RESOLVED_MS }).toBe(true);
  await expect.poll(() => onCall.pagesOf(incident).at(-1)?.event_action, { timeout: ALERT_MS }).toBe('resolve');
  await expect.poll(() => onCall.firing(incident), { timeout: ALERT_MS }).toBeNull();
}

/** One command of a person; everything that it printed. */
async function says(by: Operator, exitStatus: number, ...args: readonly string[]): Promise<string> {
  const said = await by.run(args);
  const printed = [...said.out, ...said.err].join('\n');
  expect(said, `pointsman ${args.join(' ')}\n${printed}`).toMatchObject({ exitStatus });
  return printed;
}

/** Somebody with a token of their own, made as an admin makes it. */
async function person({ installation }: Stage, admin: Operator, name: string): Promise<Operator> {
  const { out } = await admin.run(['token', 'create', name, '--role', 'operator', '--expires-in', '12h']);
  const [token] = out;
  if (token === undefined) throw new Error(`no token was made for ${name}`);
  const tokenFile = await secretFile({ dir: installation.dir }, `${name}.token`, token);
  return new Operator(installation, { name, tokenFile });
}

const alert = async ({ receiver }: Stage, type: string, after = 0): Promise<ReceivedAlert> =>
  await waitFor(`an alert ${type}`, () => receiver.alerts.slice(Math.max(0, after)).find((a) => a.type === type), {
    timeoutMs: ALERT_MS,
  });

/** Of an application without the wrapper, which hangs in the middle of its work until the answer is called. */
async function openTransaction({ lab }: Stage): Promise<() => Promise<void>> {
  const producer = lab.kafka('a').producer({ transactionalId: 'payments-1', maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic: TOPIC, messages: [{ key: 'payments-1', value: 'unfinished' }] });
  return async () => {
    await transaction.abort();
    await producer.disconnect();
  };
}

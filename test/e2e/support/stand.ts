import { randomBytes } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { type Lab, type LabClusterName, type LabIdc, type LabOptions, startLab, waitFor } from '#lab';
import { type ReceivedAlert, WebhookReceiver } from '../../../tools/demo/webhook-receiver.js';
import { secretFile } from '../../../tools/installation/config-files.js';
import { FAST_PROFILE, Installation, type InstallationOptions } from '../../../tools/installation/index.js';
import { PointerTrail } from './pointer-trail.js';
import { StoreWindow } from './store-window.js';

export const TOPIC = 'orders';
const IDCS: readonly LabIdc[] = ['a', 'b', 'c'];
const PARTITIONS = 3;
const STEADY_MS = 60_000;

export type StandOptions = Readonly<{
  lab?: LabOptions;
  installation?: Omit<Partial<InstallationOptions>, 'lab' | 'webhooks'>;
}>;

export type Alert = ReceivedAlert & Readonly<{ blockers: readonly Readonly<{ name: string; liftedBy: string }>[] }>;

/** A lab with Pointsman on it, steady, and everything a test looks through: closed as one, in any state. */
export class Stand {
  private constructor(
    readonly lab: Lab,
    readonly installation: Installation,
    readonly receiver: WebhookReceiver,
    readonly store: StoreWindow,
    readonly trail: PointerTrail,
    private readonly closers: readonly (() => Promise<void>)[],
  ) {}

  static async set(options: StandOptions = {}): Promise<Stand> {
    const lab = await startLab({ sessionProfile: 'fast', ...options.lab });
    const closers: (() => Promise<void>)[] = [() => lab.close()];
    try {
      const consumerGroups = ['billing'];
      await Promise.all((['a', 'b'] as const).map((c) => lab.createTopic(c, { name: TOPIC, partitions: PARTITIONS })));
      await Promise.all([
        lab.createFlow({ from: 'a', to: 'b', topics: [TOPIC], consumerGroups, state: 'RUNNING' }),
        lab.createFlow({ from: 'b', to: 'a', topics: [TOPIC], consumerGroups, state: 'STOPPED' }),
      ]);
      const secret = `whsec_${randomBytes(24).toString('base64')}`;
      const receiver = await WebhookReceiver.start(secret, () => undefined);
      closers.push(() => receiver.close());
      const webhooks = [
        { name: 'oncall', url: receiver.url, secretFile: await secretFile({ dir: lab.dir }, 'webhook.secret', secret) },
      ];
      const installation = await Installation.start({
        lab,
        profile: FAST_PROFILE,
        webhooks,
        ...options.installation,
      });
      closers.push(() => installation.close());
      const store = StoreWindow.open(await lab.postgresUrl('c'));
      closers.push(() => store.close());
      await installation.waitForSteady(STEADY_MS);
      const trail = await PointerTrail.follow(installation);
      closers.push(() => trail.stop());
      return new Stand(lab, installation, receiver, store, trail, closers);
    } catch (error) {
      await closeAll(closers);
      throw error;
    }
  }

  /** Waits for the first alert of this type after the `after`th of all, with everything that its body says. */
  async waitForAlert(type: string, timeoutMs: number, after = 0): Promise<Alert> {
    return await waitFor(
      `an alert ${type}`,
      () => this.receiver.alerts.slice(after).find((a) => a.type === type) as Alert | undefined,
      { timeoutMs },
    );
  }

  /** Records of an ordinary client that knows nothing of Pointsman, acknowledged by all replicas; throws if refused. */
  async write(cluster: LabClusterName, ...values: readonly string[]): Promise<void> {
    const kafka = new Kafka({
      clientId: 'ordinary',
      brokers: this.lab.directBootstrapServers(cluster),
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    });
    const producer = kafka.producer();
    await producer.connect();
    try {
      await producer.send({ topic: TOPIC, acks: -1, timeout: 5_000, messages: values.map((value) => ({ value })) });
    } finally {
      await producer.disconnect();
    }
  }

  /** A connector's state and its tasks', e.g. `RUNNING RUNNING`, `PAUSED PAUSED`, `STOPPED`; asked past the proxy. */
  async connectorState(worker: LabClusterName, connector: string): Promise<string> {
    const response = await fetch(`${this.lab.directConnectUrl(worker)}/connectors/${connector}/status`, {
      signal: AbortSignal.timeout(5_000),
    });
    const { connector: own, tasks } = (await response.json()) as {
      connector: { state: string };
      tasks: readonly { state: string }[];
    };
    return [own.state, ...tasks.map((t) => t.state)].join(' ');
  }

  /** Of the connectors that copy records and offsets of a flow. */
  async flowStates(from: LabClusterName, to: LabClusterName): Promise<readonly string[]> {
    return await Promise.all(['src', 'cp'].map((part) => this.connectorState(to, `${from}-${to}-${part}`)));
  }

  /** What a person would look at first after a failed test. */
  async report(): Promise<string> {
    const groups = await Promise.allSettled(IDCS.map((idc) => this.installation.group(idc)));
    const sagas = await this.store.sagas().catch((error: unknown) => [String(error)]);
    const alerts = this.receiver.alerts.map((a) => `${a.type} (row ${a.row}) ${a.reason}`);
    const logs = IDCS.flatMap((idc) => [this.installation.controller(idc).name, `agent-${idc}`]);
    return [
      ...groups.map((g) => JSON.stringify(g.status === 'fulfilled' ? g.value : String(g.reason))),
      ...sagas.map((s) => JSON.stringify(s)),
      `pointers ${this.trail.steps.join(' ')}`,
      ...alerts,
      ...logs.flatMap((name) => [`-- ${name}`, this.lab.logTail(name, 6)]),
    ].join('\n');
  }

  async close(): Promise<void> {
    await closeAll(this.closers);
  }
}

/** All of them, last first, whatever one of them says; the first error is thrown at the end. */
async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const close of closers.toReversed()) {
    try {
      await close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, 'the stand could not be closed');
}

/** A line beside the test results: figures of a green run, the report of a red one. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Runs `play` on a stand of its own, says what the stand looked like if it fails, and closes the stand whatever happened. */
export async function onStand(options: StandOptions, play: (stand: Stand) => Promise<void>): Promise<void> {
  const stand = await Stand.set(options);
  try {
    await play(stand);
  } catch (error) {
    say(await stand.report());
    throw error;
  } finally {
    await stand.close();
  }
}

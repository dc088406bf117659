import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { checkoutRoot, type Lab, type LabClusterName, type LabOptions, startLab, type LabProcess } from '#lab';
import { WebhookReceiver } from '../../../tools/demo/webhook-receiver.js';
import { secretFile } from '../../../tools/installation/config-files.js';
import { FAST_PROFILE, GROUP, Installation, type InstallationOptions } from '../../../tools/installation/index.js';
import { PointerTrail } from './pointer-trail.js';
import { StoreWindow } from './store-window.js';

export const TOPIC = 'orders';
const PARTITIONS = 3;
const STEADY_MS = 60_000;

export type StandOptions = Readonly<{
  lab?: LabOptions;
  installation?: Omit<Partial<InstallationOptions>, 'lab' | 'webhooks'>;
}>;

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
      const trail = PointerTrail.follow(installation);
      closers.push(() => trail.stop());
      return new Stand(lab, installation, receiver, store, trail, closers);
    } catch (error) {
      await closeAll(closers);
      throw error;
    }
  }

  /** Waits for an alert of this type. */
  alert(type: string): WebhookReceiver['alerts'][number] | undefined {
    return this.receiver.alerts.find((a) => a.type === type);
  }

  /** Producers and consumers over the wrapper, in IDC c. Resolves once they are ready. */
  async startLoad(ordersPerSecond: number): Promise<LabProcess> {
    const { lab } = this;
    const options = {
      group: GROUP,
      pointers: { type: 'sql', url: await lab.postgresUrl('c') },
      clusters: { a: lab.bootstrapServers('a', 'c'), b: lab.bootstrapServers('b', 'c') },
      topic: TOPIC,
      consumerGroup: 'billing',
      producers: 1,
      consumers: 1,
      ordersPerSecond,
      logFile: null,
      stateFile: join(lab.dir, 'load-pointer.json'),
    };
    const load = lab.spawn({
      idc: 'c',
      name: 'load',
      command: process.execPath,
      args: [join(checkoutRoot(), 'dist/tools/load/main.js'), JSON.stringify(options)],
      onLine: () => undefined,
    });
    await load.waitForLine(/^ready$/, 30_000);
    return load;
  }

  /** One write of an ordinary client that knows nothing of Pointsman, acknowledged by all replicas; throws if refused. */
  async write(cluster: LabClusterName, value: string): Promise<void> {
    const kafka = new Kafka({
      clientId: 'ordinary',
      brokers: this.lab.directBootstrapServers(cluster),
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    });
    const producer = kafka.producer();
    await producer.connect();
    try {
      await producer.send({ topic: TOPIC, acks: -1, timeout: 5_000, messages: [{ value }] });
    } finally {
      await producer.disconnect();
    }
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

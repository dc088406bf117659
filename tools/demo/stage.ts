import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { checkoutRoot, type Lab, type LabProcess, startLab } from '#lab';
import { DEMO_PROFILE, GROUP, Installation } from '../installation/index.js';
import { secretFile } from '../installation/config-files.js';
import { LogReader } from './log-reader.js';
import type { View } from './view.js';
import { type ReceivedAlert, WebhookReceiver } from './webhook-receiver.js';

export const TOPIC = 'orders';
const PARTITIONS = 6;
const ORDERS_PER_SECOND = 200;
const PRODUCERS = 3;
const CONSUMERS = 2;

export type LoadStats = Readonly<{
  sent: number;
  acknowledged: number;
  consumed: number;
  unanswered: number;
  cluster: string;
  lastAckCluster: string;
  lastConsumedCluster: string;
}>;

/** Everything the demo plays on: lab, installation, load, an independent reader on b, and an on-call receiver. */
export class Stage {
  stats: LoadStats | null = null;
  private constructor(
    readonly lab: Lab,
    readonly installation: Installation,
    readonly receiver: WebhookReceiver,
    readonly reader: LogReader,
    readonly load: LabProcess,
    readonly loadLog: string,
  ) {}

  static async set(view: View, onAlert: (alert: ReceivedAlert) => void): Promise<Stage> {
    const lab = await startLab({ sessionProfile: 'fast', onProgress: (line) => view.say(line) });
    const started: (() => Promise<void>)[] = [() => lab.close()];
    try {
      await Promise.all(
        ['a' as const, 'b' as const].map((cluster) =>
          lab.createTopic(cluster, { name: TOPIC, partitions: PARTITIONS }),
        ),
      );
      await Promise.all([
        lab.createFlow({ from: 'a', to: 'b', topics: [TOPIC], consumerGroups: ['billing'], state: 'RUNNING' }),
        lab.createFlow({ from: 'b', to: 'a', topics: [TOPIC], consumerGroups: ['billing'], state: 'STOPPED' }),
      ]);
      view.say('MirrorMaker 2: a → b RUNNING, b → a STOPPED, heartbeats both ways');
      const secret = `whsec_${randomBytes(24).toString('base64')}`;
      const receiver = await WebhookReceiver.start(secret, onAlert);
      started.push(() => receiver.close());
      const webhook = {
        name: 'oncall',
        url: receiver.url,
        secretFile: await secretFile({ dir: lab.dir }, 'webhook.secret', secret),
      };
      const installation = await Installation.start({ lab, profile: DEMO_PROFILE, webhooks: [webhook] });
      started.push(() => installation.close());
      view.say('three controllers (a leads), three agents (c is the witness); the pointer says a, epoch 1');
      const reader = await LogReader.start(lab.directBootstrapServers('b'), TOPIC);
      started.push(() => reader.close());
      const loadLog = join(lab.dir, 'orders.log');
      const load = await startLoad(lab, loadLog);
      const stage = new Stage(lab, installation, receiver, reader, load, loadLog);
      stage.followStats();
      await load.waitForLine(/^ready$/, 60_000);
      view.say(`${PRODUCERS} producers, ${CONSUMERS} consumers, ${ORDERS_PER_SECOND} orders a second`);
      return stage;
    } catch (error) {
      for (const close of started.toReversed()) await close();
      throw error;
    }
  }

  /** Stops the load and waits until every order is answered. */
  async stopLoad(): Promise<void> {
    await this.lab.stop({ process: 'load' });
  }

  /** Ends everything; the lab removes its folder. */
  async close(): Promise<void> {
    await this.reader.close();
    await this.receiver.close();
    await this.installation.close();
    await this.lab.close();
  }

  private followStats(): void {
    const follow = (): void => {
      const line = this.load.lines.findLast((l) => l.startsWith('stats '));
      if (line !== undefined) this.stats = JSON.parse(line.slice('stats '.length)) as LoadStats;
    };
    setInterval(follow, 500).unref();
  }
}

/** The applications live in c and reach a and b from there. */
async function startLoad(lab: Lab, logFile: string): Promise<LabProcess> {
  const options = {
    group: GROUP,
    pointers: { type: 'sql', url: await lab.postgresUrl('c') },
    clusters: { a: lab.bootstrapServers('a', 'c'), b: lab.bootstrapServers('b', 'c') },
    topic: TOPIC,
    consumerGroup: 'billing',
    producers: PRODUCERS,
    consumers: CONSUMERS,
    ordersPerSecond: ORDERS_PER_SECOND,
    logFile,
    stateFile: join(lab.dir, 'load-pointer.json'),
  };
  return lab.spawn({
    idc: 'c',
    name: 'load',
    command: process.execPath,
    args: [join(checkoutRoot(), 'dist/tools/load/main.js'), JSON.stringify(options)],
  });
}

import { randomBytes } from 'node:crypto';
import { type Lab, type LabClusterName, startLab } from '#lab';
import { DEMO_PROFILE, Installation, Operator } from '../installation/index.js';
import { secretFile } from '../installation/config-files.js';
import { Load } from '../load/load.js';
import { LogReader } from './log-reader.js';
import type { View } from './view.js';
import { type ReceivedAlert, WebhookReceiver } from './webhook-receiver.js';

export const TOPIC = 'orders';
const PARTITIONS = 6;
const RATE = { producers: 3, consumers: 2, ordersPerSecond: 200 };

/** Everything the demo plays on: lab, installation, load, an independent reader on b, an on-call receiver, and a person. */
export class Stage {
  private readonly moreReaders: LogReader[] = [];

  private constructor(
    readonly lab: Lab,
    readonly installation: Installation,
    readonly receiver: WebhookReceiver,
    readonly reader: LogReader,
    readonly load: Load,
    readonly operator: Operator,
  ) {}

  static async set(view: View, onAlert: (alert: ReceivedAlert) => void): Promise<Stage> {
    const lab = await startLab({ sessionProfile: 'fast', security: 'sasl', onProgress: (line) => view.say(line) });
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
      const reader = await LogReader.start(lab.kafka('b'), TOPIC);
      started.push(() => reader.close());
      const load = await Load.start(lab, { topic: TOPIC, ...RATE });
      view.say(`${RATE.producers} producers, ${RATE.consumers} consumers, ${RATE.ordersPerSecond} orders a second`);
      return new Stage(lab, installation, receiver, reader, load, new Operator(installation));
    } catch (error) {
      for (const close of started.toReversed()) await close();
      throw error;
    }
  }

  /** An independent reader of another cluster, from its first record on. */
  async readAlso(cluster: LabClusterName): Promise<LogReader> {
    const reader = await LogReader.start(this.lab.kafka(cluster), TOPIC);
    this.moreReaders.push(reader);
    return reader;
  }

  /** Ends everything; the lab removes its folder. */
  async close(): Promise<void> {
    this.operator.close();
    await Promise.all([this.reader, ...this.moreReaders].map((reader) => reader.close()));
    await this.receiver.close();
    await this.installation.close();
    await this.lab.close();
  }
}

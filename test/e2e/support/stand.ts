import { Kafka, logLevel } from 'kafkajs';
import { type Lab, type LabClusterName, waitFor } from '#lab';
import type { ReceivedAlert, WebhookReceiver } from '../../../tools/demo/webhook-receiver.js';
import type { Installation } from '../../../tools/installation/index.js';
import { PointerTrail } from './pointer-trail.js';
import { playOn, Stage, type StageOptions, TOPIC } from './stage.js';
import { StoreWindow } from './store-window.js';
import { connectorState } from './world.js';

export type Alert = ReceivedAlert & Readonly<{ blockers: readonly Readonly<{ name: string; liftedBy: string }>[] }>;

/** A stage with a look into the store and a trail of all pointers, for tests that interfere with a saga's steps. */
export class Stand {
  private constructor(
    private readonly stage: Stage,
    readonly store: StoreWindow,
    readonly trail: PointerTrail,
  ) {}

  static async set(options: StageOptions = {}): Promise<Stand> {
    const stage = await Stage.set(options);
    try {
      const store = StoreWindow.open(await stage.lab.postgresUrl('c'));
      return new Stand(stage, store, await PointerTrail.follow(stage.installation));
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  get lab(): Lab {
    return this.stage.lab;
  }

  get installation(): Installation {
    return this.stage.installation;
  }

  get receiver(): WebhookReceiver {
    return this.stage.receiver;
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
    const { state, tasks } = await connectorState(this.lab, worker, connector);
    return [state, ...tasks].join(' ');
  }

  /** Of the connectors that copy records and offsets of a flow. */
  async flowStates(from: LabClusterName, to: LabClusterName): Promise<readonly string[]> {
    return await Promise.all(['src', 'cp'].map((part) => this.connectorState(to, `${from}-${to}-${part}`)));
  }

  /** What a person would look at first after a failed test. */
  async report(): Promise<string> {
    const sagas = await this.store.sagas().catch((error: unknown) => [String(error)]);
    return [...sagas.map((s) => JSON.stringify(s)), ...this.trail.steps, await this.stage.report()].join('\n');
  }

  async close(): Promise<void> {
    try {
      await this.trail.stop();
      await this.store.close();
    } finally {
      await this.stage.close();
    }
  }
}

/** A line beside the test results: figures of a green run, the report of a red one. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** On a stand of its own. */
export const onStand = async (options: StageOptions, play: (stand: Stand) => Promise<void>): Promise<void> =>
  playOn(await Stand.set(options), play);

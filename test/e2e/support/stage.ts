import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, onTestFailed } from 'vitest';
import { type Lab, type LabIdc, type LabOptions, startLab } from '#lab';
import { secretFile } from '../../../tools/installation/config-files.js';
import {
  connectorNames,
  FAST_PROFILE,
  GROUP,
  Installation,
  type InstallationOptions,
} from '../../../tools/installation/index.js';
import { WebhookReceiver } from '../../../tools/demo/webhook-receiver.js';

export const TOPIC = 'orders';
const STEADY_MS = 60_000;
const IDCS: readonly LabIdc[] = ['a', 'b', 'c'];

export type StageOptions = Readonly<{
  lab?: LabOptions;
  partitions?: number;
  /** Further groups, each with a topic of its name (2 partitions) and both flows. */
  furtherGroups?: readonly string[];
  installation?: Partial<Omit<InstallationOptions, 'lab' | 'webhooks'>>;
}>;

type SagaSummary = Readonly<{ id: string; row: number; outcome: string | null }>;

/** A lab with the flows of group `orders` (a → b RUNNING, b → a STOPPED), Pointsman on it, and an on-call receiver. */
export class Stage {
  private constructor(
    readonly lab: Lab,
    readonly installation: Installation,
    readonly receiver: WebhookReceiver,
  ) {}

  /** Resolves when every controller says Steady. On failure everything already started is closed. */
  static async set(options: StageOptions = {}): Promise<Stage> {
    const lab = await startLab({ sessionProfile: 'fast', ...options.lab });
    const started: (() => Promise<void>)[] = [() => lab.close()];
    try {
      await Promise.all(
        lab.clusterNames.map((cluster) =>
          lab.createTopic(cluster, { name: TOPIC, partitions: options.partitions ?? 3 }),
        ),
      );
      const naming = options.installation?.group?.naming === 'default' ? 'prefixed' : 'identity';
      const flow = { topics: [TOPIC], consumerGroups: ['billing'], naming } as const;
      await Promise.all([
        lab.createFlow({ ...flow, from: 'a', to: 'b', state: 'RUNNING' }),
        lab.createFlow({ ...flow, from: 'b', to: 'a', state: 'STOPPED' }),
      ]);
      const further = options.furtherGroups ?? [];
      for (const name of further) await addGroup(lab, name);
      const secret = `whsec_${randomBytes(24).toString('base64')}`;
      const receiver = await WebhookReceiver.start(secret, () => undefined);
      started.push(() => receiver.close());
      const oncall = {
        name: 'oncall',
        url: receiver.url,
        secretFile: await secretFile({ dir: lab.dir }, 'webhook.secret', secret),
      };
      const installation = await Installation.start({
        lab,
        profile: FAST_PROFILE,
        webhooks: [oncall],
        furtherGroups: further.map((name) => ({ name, topics: [name], consumerGroups: [`${name}-readers`] })),
        ...options.installation,
      });
      started.push(() => installation.close());
      await installation.waitForSteady(STEADY_MS);
      return new Stage(lab, installation, receiver);
    } catch (error) {
      process.stderr.write(`${tails(lab)}\n`);
      for (const close of started.toReversed()) await close();
      throw error;
    }
  }

  /** Alerts received so far, by type, for the difference between two instants. */
  alertTypes(fromIndex = 0): string[] {
    return this.receiver.alerts.slice(fromIndex).map((alert) => alert.type);
  }

  /** Every saga that was ever opened for the group, newest first. */
  async sagas(askedIdc: LabIdc): Promise<readonly SagaSummary[]> {
    const answer = await this.installation
      .api(askedIdc)
      .get<{ sagas: readonly SagaSummary[] }>(`/v1/sagas?group=${GROUP}`);
    return answer.sagas;
  }

  /** The row that each of these controllers says now; null for one that does not answer. */
  async rows(seenBy: readonly LabIdc[] = IDCS): Promise<Partial<Record<LabIdc, number | null>>> {
    const answers = await Promise.allSettled(seenBy.map((idc) => this.installation.group(idc)));
    return Object.fromEntries(
      seenBy.map((idc, i) => {
        const answer = answers[i];
        return [idc, answer?.status === 'fulfilled' ? answer.value.row : null];
      }),
    );
  }

  /** For `staysFor`: says what moved, if the pointer names another cluster or epoch than at the start. */
  async moved(cluster = 'a', epoch = 1): Promise<string | undefined> {
    const pointer = await this.installation.pointer();
    return pointer?.activeCluster === cluster && pointer.epoch === epoch
      ? undefined
      : `the pointer is ${JSON.stringify(pointer)}`;
  }

  /** What a person would look at first after a failed test. */
  async report(): Promise<string> {
    const said = await Promise.all(
      IDCS.map(async (idc) => {
        try {
          return `${idc}: ${JSON.stringify(await this.installation.group(idc))}`;
        } catch (error) {
          return `${idc}: ${String(error)}`;
        }
      }),
    );
    const alerts = this.receiver.alerts.map((a) => `${a.type} (row ${a.row}) ${a.reason}`);
    return ['-- controllers', ...said, '-- alerts', ...alerts, tails(this.lab)].join('\n');
  }

  async close(): Promise<void> {
    try {
      await this.receiver.close();
      await this.installation.close();
    } finally {
      await this.lab.close();
    }
  }
}

async function addGroup(lab: Lab, name: string): Promise<void> {
  await Promise.all(lab.clusterNames.map((cluster) => lab.createTopic(cluster, { name, partitions: 2 })));
  const flow = { topics: [name], consumerGroups: [`${name}-readers`] };
  await Promise.all([
    lab.createFlow({ ...flow, from: 'a', to: 'b', connectors: connectorNames('a', 'b', `${name}-`), state: 'RUNNING' }),
    lab.createFlow({ ...flow, from: 'b', to: 'a', connectors: connectorNames('b', 'a', `${name}-`), state: 'STOPPED' }),
  ]);
}

function tails(lab: Lab): string {
  const names = [...IDCS.map((idc) => `ctl-${idc}`), ...IDCS.map((idc) => `agent-${idc}`)];
  return names.flatMap((name) => [`-- ${name}`, lab.logTail(name, 12)]).join('\n');
}

/** One stage for all tests of the calling `describe`; printed when a test fails, closed whatever happened. */
export function useStage(options: StageOptions = {}): () => Stage {
  let stage: Stage | undefined;
  const get = (): Stage => {
    if (stage === undefined) throw new Error('the stage is not set');
    return stage;
  };
  beforeAll(async () => {
    stage = await Stage.set(options);
  });
  beforeEach(() => {
    onTestFailed(async () => {
      if (stage !== undefined) process.stderr.write(`${await stage.report()}\n`);
    });
  });
  afterAll(async () => {
    await stage?.close();
  });
  return get;
}

type Closable = Readonly<{ report(): Promise<string>; close(): Promise<void> }>;

/** Runs `play`, says what a person would look at first if it fails, and closes what it was played on whatever happened. */
export async function playOn<On extends Closable>(on: On, play: (on: On) => Promise<void>): Promise<void> {
  try {
    await play(on);
  } catch (error) {
    process.stdout.write(`${await on.report()}\n`);
    throw error;
  } finally {
    await on.close();
  }
}

/** On a stage of its own, so that a second try finds a fresh one. */
export const onStage = async (options: StageOptions, play: (stage: Stage) => Promise<void>): Promise<void> =>
  playOn(await Stage.set(options), play);

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { AlertmanagerServer } from '#lab';
import {
  pagerDutyEvent,
  slackMessage,
} from '../../../apps/controller/src/alerting/receivers/receiver-rules.conformance.js';
import { secretFile } from '../../../tools/installation/config-files.js';
import type { FurtherReceivers } from '../../../tools/installation/index.js';
import { JsonReceiver } from '../../integration/json-receiver.js';

const ROUTING_KEY = 'f'.repeat(32);

export type PagerDutyEvent = z.output<typeof pagerDutyEvent>;
type FiringAlert = Readonly<{
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
}>;

/**
 * Where people are paged beside the stage's signed webhook: PagerDuty and Slack as far as their references say what they
 * take, and a real Alertmanager. What is read here has passed the receiver's own rules.
 */
export class OnCall {
  private constructor(
    private readonly dir: string,
    private readonly pagerDuty: JsonReceiver,
    private readonly slack: JsonReceiver,
    private readonly alertmanager: AlertmanagerServer,
    /** For the controllers' files. */
    readonly receivers: FurtherReceivers,
  ) {}

  static async start(): Promise<OnCall> {
    const alertmanager = await AlertmanagerServer.make();
    await alertmanager.start();
    const dir = await mkdtemp(join(tmpdir(), 'pointsman-on-call-'));
    const pagerDuty = await new JsonReceiver().start();
    const slack = await new JsonReceiver().start();
    return new OnCall(dir, pagerDuty, slack, alertmanager, {
      pagerduty: [
        {
          name: 'pager',
          url: pagerDuty.url,
          routingKeyFile: await secretFile({ dir }, 'pagerduty.key', ROUTING_KEY),
        },
      ],
      alertmanager: [{ name: 'am', url: alertmanager.url }],
      slack: [{ name: 'chat', urlFile: await secretFile({ dir }, 'slack.url', slack.url) }],
    });
  }

  /** What PagerDuty was sent, in order. Throws on an event that its reference does not allow. */
  pages(): readonly PagerDutyEvent[] {
    return this.pagerDuty.accepted().map((body) => pagerDutyEvent.parse(body));
  }

  /** PagerDuty's story of one incident. */
  pagesOf(incident: string): readonly PagerDutyEvent[] {
    return this.pages().filter((page) => page.dedup_key === incident);
  }

  /** Slack's messages that name the incident. Throws on a message beyond the limits of its blocks. */
  messagesOf(incident: string): readonly string[] {
    return this.slack
      .accepted()
      .map((body) => slackMessage.parse(body))
      .filter((message) => JSON.stringify(message.blocks).includes(incident))
      .map(({ text }) => text);
  }

  /** The shortest time between two messages in the channel, in ms; Infinity with fewer than two. */
  shortestGapMs(): number {
    const at = this.slack.taken.map((t) => t.atMs);
    return Math.min(...at.slice(1).map((ms, i) => ms - (at[i] ?? 0)));
  }

  /** What Alertmanager shows of the incident while it fires; null once it does not. */
  async firing(incident: string): Promise<FiringAlert | null> {
    const response = await fetch(`${this.alertmanager.url}/api/v2/alerts?active=true`, {
      signal: AbortSignal.timeout(2_000),
    });
    const alerts = (await response.json()) as readonly FiringAlert[];
    return alerts.find((each) => each.labels['incident'] === incident) ?? null;
  }

  async close(): Promise<void> {
    await Promise.all([this.pagerDuty.stop(), this.slack.stop(), this.alertmanager.close()]);
    await rm(this.dir, { recursive: true, force: true });
  }
}

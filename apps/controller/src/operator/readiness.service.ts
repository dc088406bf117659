import { Inject, Injectable } from '@nestjs/common';
import { readiness } from '#failover';
import { DECISIONS } from '../decision/decision.port.js';
import type { Decisions } from '../decision/decision.port.js';
import { CONSUMER_LAGS } from '../observation/observation.port.js';
import type { ConsumerLags } from '../observation/observation.port.js';
import { PUBLISHING } from '../publishing/publishing.port.js';
import type { Publishing } from '../publishing/publishing.port.js';
import { Groups } from './groups.service.js';
import { Problem } from './http/problem.js';
import { within } from './within.js';

const CENTER_WAIT_MS = 2_000;

/** Whether a group could fail over well at this instant, out of what this controller knows; the core has the checks. */
@Injectable()
export class ReadinessReports {
  constructor(
    @Inject(Groups) private readonly groups: Groups,
    @Inject(DECISIONS) private readonly decisions: Decisions,
    @Inject(CONSUMER_LAGS) private readonly lags: ConsumerLags,
    @Inject(PUBLISHING) private readonly publishing: Publishing,
  ) {}

  async of(group: string) {
    const config = this.groups.config(group);
    const latest = this.decisions.latest(group);
    if (latest === null)
      throw new Problem(
        {
          status: 503,
          code: 'not_decided_yet',
          title: 'This controller has not decided yet',
          detail: 'Ask again in a moment.',
        },
        { 'retry-after': '1' },
      );
    const clients = await within(CENTER_WAIT_MS, this.publishing.adoptions(group));
    const consumers = this.lags.of(group);
    const found = readiness({
      snapshot: latest.snapshot,
      policy: config.policy,
      consumers,
      consumerGroups: config.consumerGroups,
      principals: config.principals,
      clients: clients && {
        known: clients.length,
        warnings: clients.flatMap((c) => c.warnings.map((w) => `${c.kind} ${c.name}: ${w}`)),
      },
    });
    return { group, at: new Date(latest.snapshot.wallNow).toISOString(), ...found };
  }
}

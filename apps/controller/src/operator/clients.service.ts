import { Inject, Injectable } from '@nestjs/common';
import { adoptionShare } from '#config-center';
import { consumerAt, MOVING_WITHIN_MS, strayWrites, unwrappedConsumers } from '#failover';
import { DECISIONS } from '../decision/decision.port.js';
import type { Decisions } from '../decision/decision.port.js';
import { CONSUMER_LAGS } from '../observation/observation.port.js';
import type { ConsumerLags } from '../observation/observation.port.js';
import { PUBLISHING } from '../publishing/publishing.port.js';
import type { Publishing } from '../publishing/publishing.port.js';
import { Groups } from './groups.service.js';
import { Problem } from './http/problem.js';
import { within } from './within.js';

const CENTER_WAIT_MS = 3_000;

/** Who follows the pointer, as clients say themselves, and who reads or writes without it, as the brokers show. */
@Injectable()
export class Clients {
  constructor(
    @Inject(Groups) private readonly groups: Groups,
    @Inject(PUBLISHING) private readonly publishing: Publishing,
    @Inject(CONSUMER_LAGS) private readonly lags: ConsumerLags,
    @Inject(DECISIONS) private readonly decisions: Decisions,
  ) {}

  async of(group: string) {
    this.groups.config(group);
    const [pointer, clients] = await Promise.all([
      within(CENTER_WAIT_MS, this.publishing.read(group)),
      within(CENTER_WAIT_MS, this.publishing.adoptions(group)),
    ]);
    if (pointer === null || clients === null)
      throw new Problem(
        {
          status: 503,
          code: 'center_unavailable',
          title: 'The config center does not answer',
          detail: 'Clients go on with their last pointer. Look at the config center, then ask again.',
        },
        { 'retry-after': '5' },
      );
    const { known, adopted, share, stragglers } = adoptionShare(clients, pointer);
    const late = new Set(stragglers.map((s) => s.instance));
    const wrapped = new Set(clients.filter((c) => c.kind === 'consumer').map((c) => consumerAt(c.cluster, c.name)));
    const snapshot = this.decisions.latest(group)?.snapshot ?? null;
    return {
      group,
      pointer: { cluster: pointer.activeCluster, epoch: pointer.epoch, mode: pointer.mode },
      known,
      adopted,
      share,
      clients: clients.map((c) => ({ ...c, adopted: !late.has(c.instance) })),
      unwrapped: unwrappedConsumers(this.lags.of(group), wrapped).map((l) => ({
        ...l,
        onActive: l.cluster === pointer.activeCluster,
      })),
      strayWrites: snapshot === null ? [] : strayWrites(snapshot, pointer.activeCluster, MOVING_WITHIN_MS),
    };
  }
}

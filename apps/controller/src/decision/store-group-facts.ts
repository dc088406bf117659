import { Inject, Injectable } from '@nestjs/common';
import type { GroupFacts } from '#failover';
import type { ControllerConfig } from '../config/compile.js';
import { CONTROLLER_CONFIG } from '../config/load.js';
import type { GroupFactsSource } from '../observation/observation.port.js';
import { PUBLISHING, type Publishing } from '../publishing/publishing.port.js';
import { StoreView } from './store-view.js';

/** What a snapshot holds besides the agents' reports: this process's newest reading of the store and the config center. */
@Injectable()
export class StoreGroupFacts implements GroupFactsSource {
  constructor(
    @Inject(CONTROLLER_CONFIG) private readonly config: ControllerConfig,
    @Inject(StoreView) private readonly view: StoreView,
    @Inject(PUBLISHING) private readonly publishing: Publishing,
  ) {}

  facts(group: string): GroupFacts {
    const config = this.config.groups.find((g) => g.name === group);
    if (config === undefined) throw new Error(`group ${group} is not configured`);
    return this.view.facts(config);
  }

  policyDigests(): Readonly<Record<string, string>> {
    return this.view.policyDigests();
  }

  configCenter(group: string): Readonly<{ writableAgeMs: number | null; error: string | null }> {
    const { ageMs, error } = this.publishing.writable(group);
    return { writableAgeMs: ageMs, error };
  }
}

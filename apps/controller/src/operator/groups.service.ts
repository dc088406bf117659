import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { DECISIONS } from '../decision/decision.port.js';
import type { Decisions } from '../decision/decision.port.js';
import { LEADERSHIP } from '../leadership/leadership.port.js';
import type { Leadership } from '../leadership/leadership.port.js';
import { CONSUMER_LAGS } from '../observation/observation.port.js';
import type { ConsumerLags } from '../observation/observation.port.js';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import { notFound } from './http/problem.js';
import { OPERATOR_OPTIONS } from './operator.options.js';
import type { OperatorOptions } from './operator.options.js';
import { groupView } from './views/group.view.js';
import type { GroupView } from './views/group.view.js';
import { LagTrend } from './views/lag-trend.js';
import { within } from './within.js';

const STORE_WAIT_MS = 1_000;
const TREND_EVERY_MS = 2_000;

/** Composes what operators see of groups, from memory first: a dead store must not blind them (I30). */
@Injectable()
export class Groups implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly trend = new LagTrend();
  private timer: NodeJS.Timeout | null = null;

  constructor(
    @Inject(OPERATOR_OPTIONS) private readonly options: OperatorOptions,
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(DECISIONS) private readonly decisions: Decisions,
    @Inject(CONSUMER_LAGS) private readonly lags: ConsumerLags,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.sampleTrend(), TREND_EVERY_MS);
    this.timer.unref();
  }

  onApplicationShutdown(): void {
    if (this.timer) clearInterval(this.timer);
  }

  /** Names, as configured. */
  names(): readonly string[] {
    return this.options.groups.map((g) => g.name);
  }

  config(name: string): OperatorOptions['groups'][number] {
    const found = this.options.groups.find((g) => g.name === name);
    if (found) return found;
    const known = this.options.groups.map((g) => g.name).join(', ');
    throw notFound(`Group ${name}`, `Groups of this controller: ${known}.`);
  }

  async all(): Promise<readonly GroupView[]> {
    const [rows, fleet, sagas] = await Promise.all([
      within(STORE_WAIT_MS, this.store.groups()),
      within(STORE_WAIT_MS, this.store.fleet()),
      within(STORE_WAIT_MS, this.store.openSagas()),
    ]);
    return this.options.groups.map((g) =>
      groupView({
        ...g,
        latest: this.decisions.latest(g.name),
        row: rows?.find((r) => r.name === g.name) ?? null,
        fleet,
        saga: sagas?.find((s) => s.group === g.name) ?? null,
        leadership: this.leadership.current(),
        trend: this.trend.of(g.name, g.policy.maxRpo.durationMs),
        consumers: this.lags.of(g.name),
        wallNowMs: Date.now(),
      }),
    );
  }

  async one(name: string): Promise<GroupView> {
    this.config(name);
    const view = (await this.all()).find((g) => g.group === name);
    if (!view) throw notFound(`Group ${name}`, 'It was configured a moment ago; ask again.');
    return view;
  }

  private sampleTrend(): void {
    for (const { name } of this.options.groups) {
      const snapshot = this.decisions.latest(name)?.snapshot;
      const flow = snapshot?.flows.find((f) => f.from === snapshot.group.active);
      if (snapshot) this.trend.add(name, snapshot.now, flow?.lagMs ?? null);
    }
  }
}

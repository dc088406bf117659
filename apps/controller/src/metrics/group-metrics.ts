import { Inject, Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { ALERT_BACKLOG } from '../alerting/alerting.port.js';
import type { AlertBacklog } from '../alerting/alerting.port.js';
import { DECISIONS } from '../decision/decision.port.js';
import type { Decisions } from '../decision/decision.port.js';
import { SAGA_KINDS, SAGA_OUTCOMES, type Decision, type Snapshot } from '#failover';
import { LEADERSHIP } from '../leadership/leadership.port.js';
import type { Leadership } from '../leadership/leadership.port.js';
import { CONSUMER_LAGS } from '../observation/observation.port.js';
import type { ConsumerLags } from '../observation/observation.port.js';
import { METRICS_OPTIONS } from './metrics.options.js';
import type { MetricsOptions } from './metrics.options.js';

/** Of Node's own, by prom-client: gauges named as counters, which promtool calls wrong. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** Labels are names from the configuration and closed lists only, so the number of series is bounded. */
@Injectable()
export class GroupMetrics {
  readonly registry = new Registry();
  private readonly gauges: ReturnType<typeof makeGauges>;
  private readonly sagas: Counter<'kind' | 'outcome'>;
  private readonly steps: Histogram<'step'>;

  constructor(
    @Inject(METRICS_OPTIONS) private readonly options: MetricsOptions,
    @Inject(DECISIONS) private readonly decisions: Decisions,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(ALERT_BACKLOG) private readonly backlog: AlertBacklog,
    @Inject(CONSUMER_LAGS) private readonly lags: ConsumerLags,
  ) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    for (const name of MISNAMED) this.registry.removeSingleMetric(name);
    this.gauges = makeGauges(this.registry);
    this.sagas = new Counter({
      name: 'pointsman_sagas_total',
      help: 'Sagas closed while this controller led.',
      labelNames: ['kind', 'outcome'],
      registers,
    });
    // From 0 on, not from the first one: a rule on its increase would never see a series that is born at 1.
    for (const kind of SAGA_KINDS) for (const outcome of SAGA_OUTCOMES) this.sagas.inc({ kind, outcome }, 0);
    this.steps = new Histogram({
      name: 'pointsman_saga_step_duration_seconds',
      help: 'From the intent of a saga step to its verified effect.',
      labelNames: ['step'],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    });
  }

  sagaClosed(kind: string, outcome: string): void {
    this.sagas.inc({ kind, outcome });
  }

  stepDone(step: string, seconds: number): void {
    this.steps.observe({ step }, seconds);
  }

  /** The exposition text, from what is in memory: a scrape waits for nothing. */
  async render(): Promise<string> {
    for (const gauge of Object.values(this.gauges)) gauge.reset();
    const { leader, term } = this.leadership.current();
    this.gauges.build.set({ version: this.options.version }, 1);
    this.gauges.term.set(term);
    if (leader) this.gauges.leader.set({ id: leader.id }, 1);
    this.gauges.outbox.set(this.backlog.pending());
    for (const group of this.options.groups) {
      const latest = this.decisions.latest(group);
      if (latest) this.group(group, latest.snapshot, latest.decision);
      this.consumers(group);
    }
    return this.registry.metrics();
  }

  private consumers(group: string): void {
    for (const { cluster, consumerGroup, lagRecords } of this.lags.of(group)) {
      const labels = { group, cluster, consumer_group: consumerGroup };
      if (lagRecords !== null) this.gauges.consumerLag.set(labels, lagRecords);
    }
  }

  private group(group: string, snapshot: Snapshot, decision: Decision): void {
    const g = this.gauges;
    g.epoch.set({ group }, snapshot.group.epoch);
    g.row.set({ group, row: String(decision.row), name: decision.name }, 1);
    const { window } = decision;
    g.window.set({ group }, window && window.lengthMs > 0 ? window.fillMs / window.lengthMs : 0);
    for (const blocker of decision.blockers) g.blocker.set({ group, blocker: blocker.name }, 1);
    for (const { from, to, lagRecords, lagMs } of snapshot.flows) {
      if (lagRecords !== null) g.lagRecords.set({ group, from, to }, lagRecords);
      if (lagMs !== null) g.lagSeconds.set({ group, from, to }, lagMs / 1_000);
    }
    for (const [cluster, votes] of Object.entries(snapshot.votes)) {
      for (const [agent, vote] of Object.entries(votes)) g.vote.set({ cluster, agent, state: vote.state }, 1);
    }
    const at = (ageMs: number): number => (snapshot.wallNow - ageMs) / 1_000;
    const { pause } = snapshot.group;
    const scope = pause?.everywhere === true ? 'all' : 'group';
    if (pause) g.pauseEnd.set({ group, scope }, at(-pause.expiresInMs));
    for (const { agent, ageMs } of snapshot.observers) if (ageMs !== null) g.report.set({ agent }, at(ageMs));
    const { writableAgeMs } = snapshot.configCenter;
    if (writableAgeMs !== null) g.centerWrite.set({ group }, at(writableAgeMs));
  }
}

const makeGauges = (registry: Registry) => {
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> =>
    new Gauge({ name: `pointsman_${name}`, help, labelNames: [...labelNames], registers: [registry] });
  return {
    build: gauge('build_info', 'The version that runs; always 1.', ['version']),
    leader: gauge('leader_info', 'The controller that leads, as this one knows it; always 1.', ['id']),
    term: gauge('term', 'The highest term known to this controller.'),
    epoch: gauge('group_epoch', 'The epoch of the published pointer.', ['group']),
    row: gauge('group_row_info', 'The decision matrix row in force; always 1.', ['group', 'row', 'name']),
    window: gauge('window_fill_ratio', 'How full the confirmation window is, 0 to 1.', ['group']),
    vote: gauge('vote_info', 'The vote of an agent on a cluster; always 1.', ['cluster', 'agent', 'state']),
    report: gauge('report_last_received_timestamp_seconds', 'When an agent was last heard.', ['agent']),
    lagRecords: gauge('replication_lag_records', 'Records not yet replicated.', ['group', 'from', 'to']),
    lagSeconds: gauge('replication_lag_seconds', 'Age of the oldest record not yet replicated.', [
      'group',
      'from',
      'to',
    ]),
    consumerLag: gauge('consumer_group_lag_records', 'Records of the topics that a consumer group has yet to commit.', [
      'group',
      'cluster',
      'consumer_group',
    ]),
    blocker: gauge('blocker_active', 'A blocker that forbids an automatic failover now; always 1.', [
      'group',
      'blocker',
    ]),
    pauseEnd: gauge('pause_end_timestamp_seconds', 'When the pause of a group ends by itself; absent: not paused.', [
      'group',
      'scope',
    ]),
    outbox: gauge('outbox_pending', 'Alerts that some receiver has not taken yet.'),
    centerWrite: gauge('config_center_last_write_timestamp_seconds', 'Last good write canary.', ['group']),
  };
};

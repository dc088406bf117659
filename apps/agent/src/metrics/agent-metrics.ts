import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ClusterName, ClusterReport, Ms } from '#health';
import type { ProbeRound } from '../ports.js';

/** Of Node's own, by prom-client: gauges named as counters, which promtool calls wrong. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** The agent's metrics. Labels are bounded: configured clusters, brokers by id, configured controllers. */
export class AgentMetrics {
  readonly registry = new Registry();
  readonly #probeDuration: Histogram<'cluster'>;
  readonly #brokerAnswering: Gauge<'cluster' | 'broker'>;
  readonly #offline: Gauge<'cluster'>;
  readonly #underMinIsr: Gauge<'cluster'>;
  readonly #canaryRatio: Gauge<'cluster'>;
  readonly #vote: Gauge<'cluster' | 'state'>;
  readonly #rounds: Counter<'cluster'>;

  constructor(collectConnected: (set: (controller: string, connected: boolean) => void) => void) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    for (const name of MISNAMED) this.registry.removeSingleMetric(name);
    this.#probeDuration = new Histogram({
      name: 'pointsman_probe_duration_seconds',
      help: 'Duration of one probe round of a cluster.',
      labelNames: ['cluster'],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4],
      registers,
    });
    this.#brokerAnswering = this.#gauge('pointsman_broker_answering', 'Whether the broker answered the last round.', [
      'cluster',
      'broker',
    ]);
    this.#offline = this.#gauge('pointsman_partitions_offline', 'Hot-standby partitions without a leader.', [
      'cluster',
    ]);
    this.#underMinIsr = this.#gauge('pointsman_partitions_under_min_isr', 'Hot-standby partitions under min ISR.', [
      'cluster',
    ]);
    this.#canaryRatio = this.#gauge('pointsman_canary_success_ratio', 'Canaries that succeeded in the last 30 s.', [
      'cluster',
    ]);
    this.#vote = this.#gauge('pointsman_agent_vote_info', 'What this agent says of the cluster.', ['cluster', 'state']);
    this.#rounds = new Counter({
      name: 'pointsman_probe_rounds_total',
      help: 'Probe rounds finished.',
      labelNames: ['cluster'],
      registers,
    });
    const connected = new Gauge({
      name: 'pointsman_session_connected',
      help: 'Whether a session to the controller is welcomed.',
      labelNames: ['controller'],
      registers,
      collect: () => collectConnected((controller, up) => connected.set({ controller }, up ? 1 : 0)),
    });
  }

  round(cluster: ClusterName, round: ProbeRound, durationMs: Ms, report: ClusterReport | null): void {
    this.#rounds.inc({ cluster });
    this.#probeDuration.observe({ cluster }, durationMs / 1000);
    for (const broker of round.sample.brokers) {
      if (broker.brokerId === null) continue;
      this.#brokerAnswering.set({ cluster, broker: String(broker.brokerId) }, broker.error === null ? 1 : 0);
    }
    const { hotStandby } = round.sample;
    if (hotStandby !== null) {
      this.#offline.set({ cluster }, hotStandby.offline);
      this.#underMinIsr.set({ cluster }, hotStandby.underMinIsr);
    }
    if (report === null) return;
    if (report.fields.canarySuccessRatio !== null) {
      this.#canaryRatio.set({ cluster }, report.fields.canarySuccessRatio);
    }
    for (const state of ['UP', 'DEGRADED', 'DOWN', 'ABSTAIN'] as const) {
      this.#vote.set({ cluster, state }, report.state === state ? 1 : 0);
    }
  }

  #gauge<L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }
}

import type { Ms } from '#health';
import type { ClusterSettings } from '#failover';
import type { BrokerNode, ClusterEyes, ConfigTable } from '#kafka';

const TOPIC_KEYS = ['min.insync.replicas', 'max.message.bytes', 'retention.ms', 'retention.bytes'] as const;
const BROKER_KEYS = [
  'broker.session.timeout.ms',
  'controller.quorum.election.timeout.ms',
  'group.initial.rebalance.delay.ms',
] as const;
const TOPICS_EVERY_MS = 10_000;
const BROKER_EVERY_MS = 60_000;

/** Settings that change seldom, read on a slow tick inside a round: one request for all topics, one for one broker. */
export class SlowFacts {
  readonly #eyes: ClusterEyes;
  #configs: ConfigTable = new Map();
  #configsAtMs: Ms | null = null;
  #topicsAskedAtMs: Ms | null = null;
  #brokerAskedAtMs: Ms | null = null;
  #settings: ClusterSettings | null = null;

  constructor(eyes: ClusterEyes) {
    this.#eyes = eyes;
  }

  get configs(): ConfigTable {
    return this.#configs;
  }

  get configsAtMs(): Ms | null {
    return this.#configsAtMs;
  }

  get settings(): ClusterSettings | null {
    return this.#settings;
  }

  /** Asks what is due; a broker that does not answer leaves the old values with their age. */
  async refresh(broker: BrokerNode, topics: readonly string[], nowMs: Ms, deadlineMs: Ms): Promise<void> {
    await Promise.all([this.#topics(broker, topics, nowMs, deadlineMs), this.#broker(broker, nowMs, deadlineMs)]);
  }

  async #topics(broker: BrokerNode, topics: readonly string[], nowMs: Ms, deadlineMs: Ms): Promise<void> {
    const known = topics.every((t) => this.#configs.has(t));
    if (topics.length === 0 || (known && !due(this.#topicsAskedAtMs, TOPICS_EVERY_MS, nowMs))) return;
    this.#topicsAskedAtMs = nowMs;
    const answer = await this.#eyes.topicConfigs(broker.address, topics, TOPIC_KEYS, deadlineMs);
    if (!answer.ok) return;
    this.#configs = answer.value;
    this.#configsAtMs = nowMs;
  }

  async #broker(broker: BrokerNode, nowMs: Ms, deadlineMs: Ms): Promise<void> {
    if (this.#settings !== null && !due(this.#brokerAskedAtMs, BROKER_EVERY_MS, nowMs)) return;
    this.#brokerAskedAtMs = nowMs;
    const answer = await this.#eyes.brokerConfigs(broker.address, broker.id, BROKER_KEYS, deadlineMs);
    if (!answer.ok) return;
    const values = answer.value.get(String(broker.id));
    const read = (key: string): Ms | null => {
      const text = values?.get(key)?.value ?? null;
      return text === null || !Number.isFinite(Number(text)) ? null : Number(text);
    };
    const initialRebalanceDelayMs = read(BROKER_KEYS[2]);
    this.#settings = {
      brokerSessionTimeoutMs: read(BROKER_KEYS[0]),
      electionTimeoutMs: read(BROKER_KEYS[1]),
      ...(initialRebalanceDelayMs === null ? {} : { initialRebalanceDelayMs }),
    };
  }
}

const due = (lastMs: Ms | null, everyMs: Ms, nowMs: Ms): boolean => lastMs === null || nowMs - lastMs >= everyMs;

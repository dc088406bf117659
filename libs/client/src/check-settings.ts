import type { ConsumerConfig, KafkaConfig } from 'kafkajs';
import type { SettingWarning, SwitchingProducerConfig, SwitchingTransactionalConfig } from './client.types.js';

type Checked = Readonly<Record<string, unknown>>;
type Rule = Readonly<{ setting: string; risky(value: number): boolean; risk: string }>;

const LONGEST_WINDOW_MS = 60_000; // of the default policy: isolated and gray
const PRODUCER_RULES: readonly Rule[] = [
  {
    setting: 'buffer.maxWaitMs',
    risky: (ms) => ms < LONGEST_WINDOW_MS,
    risk: 'sends time out before an unplanned switch is even decided (60 s with the default windows)',
  },
  {
    setting: 'buffer.maxRecords',
    risky: (n) => n < 100,
    risk: 'a switch of some seconds fills the buffer and sends are refused',
  },
];
const CONNECTION_RULES: readonly Rule[] = [
  {
    setting: 'requestTimeout',
    risky: (ms) => ms < 3_000,
    risk: 'a slow broker is taken for a silent one: records are sent again and may be doubled',
  },
  {
    setting: 'connectionTimeout',
    risky: (ms) => ms < 500,
    risk: 'a cluster in another IDC may never be reached within it',
  },
];
const TRANSACTION_RULES: readonly Rule[] = [
  {
    setting: 'transactionTimeout',
    risky: (ms) => ms > 60_000,
    risk: 'a transaction left open by a dead process holds up a planned switchover for as long',
  },
  {
    setting: 'maxWaitMs',
    risky: (ms) => ms < LONGEST_WINDOW_MS,
    risk: 'transaction() gives up before a switch is over',
  },
];

/** What of a producer's settings risks records at a switch. Kafka's own names; pure, so that it is a table. */
export function checkProducer(
  client: string,
  c: SwitchingProducerConfig | SwitchingTransactionalConfig,
  clusters: Readonly<Record<string, KafkaConfig>>,
): SettingWarning[] {
  const flat: Checked = { ...c, ...('buffer' in c ? prefixed('buffer', c.buffer) : {}) };
  const found = apply(client, flat, 'transactionalId' in c ? TRANSACTION_RULES : PRODUCER_RULES);
  const ordered = ('idempotent' in c && c.idempotent === true) || 'transactionalId' in c;
  if (ordered && (c.maxInFlightRequests ?? 1) > 1)
    found.push({
      client,
      setting: 'maxInFlightRequests',
      value: String(c.maxInFlightRequests),
      risk: 'idempotence of kafkajs holds with one request in flight only: sequences break and records may be doubled',
    });
  if (flat['retry'] !== undefined)
    found.push({
      client,
      setting: 'retry',
      value: JSON.stringify(flat['retry']),
      risk: 'ignored: the wrapper itself sends again, until buffer.maxWaitMs',
    });
  return [...found, ...checkCommon(client, c.allowAutoTopicCreation, clusters)];
}

/** What of a consumer's settings risks records, or holds up a switch. */
export function checkConsumer(
  client: string,
  c: ConsumerConfig,
  clusters: Readonly<Record<string, KafkaConfig>>,
): SettingWarning[] {
  const found = apply(client, c as unknown as Checked, [
    {
      setting: 'sessionTimeout',
      risky: (ms) => ms > 60_000,
      risk: 'a dead member keeps its group busy for as long, and a planned switchover waits for it',
    },
  ]);
  if (c.retry?.restartOnFailure !== undefined)
    found.push({
      client,
      setting: 'retry.restartOnFailure',
      value: 'a function',
      risk: 'ignored: the wrapper itself begins anew after a crash, as long as the pointer names the cluster',
    });
  return [...found, ...checkCommon(client, c.allowAutoTopicCreation, clusters)];
}

/** acks is said with each send, so it is seen there. */
export function acks1(client: string): SettingWarning {
  return {
    client,
    setting: 'acks',
    value: '1',
    risk: 'an acknowledged record is lost with its one broker, before it was replicated anywhere',
  };
}

function checkCommon(
  client: string,
  autoTopic: boolean | undefined,
  clusters: Readonly<Record<string, KafkaConfig>>,
): SettingWarning[] {
  const found = Object.entries(clusters).flatMap(([name, config]) =>
    apply(client, config as unknown as Checked, CONNECTION_RULES).map((w) => ({
      ...w,
      setting: `clusters.${name}.${w.setting}`,
    })),
  );
  if (autoTopic === true)
    found.push({
      client,
      setting: 'allowAutoTopicCreation',
      value: 'true',
      risk: 'a topic made on the standby before MirrorMaker makes it may have another partition count than its source',
    });
  return found;
}

function apply(client: string, values: Checked, rules: readonly Rule[]): SettingWarning[] {
  return rules.flatMap(({ setting, risky, risk }) => {
    const value = values[setting];
    return typeof value === 'number' && risky(value) ? [{ client, setting, value: String(value), risk }] : [];
  });
}

function prefixed(name: string, values: object | undefined): Checked {
  return Object.fromEntries(Object.entries(values ?? {}).map(([k, v]) => [`${name}.${k}`, v]));
}

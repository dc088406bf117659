import type { TopicSettings } from '../matrix/facts.js';
import type { Finding, Sides } from './types.js';

/** What of a topic must be the same on both sides, and what goes wrong where it is not. */
const COMPARED = [
  {
    field: 'partitions',
    level: 'blocker',
    why: 'keys would move between partitions',
    fix: 'add partitions to the smaller one',
  },
  {
    field: 'replicationFactor',
    level: 'warn',
    why: 'fewer brokers may die on one side',
    fix: 'reassign with more replicas',
  },
  { field: 'minIsr', level: 'warn', why: 'acks=all promises less on one side', fix: 'set min.insync.replicas alike' },
  {
    field: 'maxMessageBytes',
    level: 'warn',
    why: 'a record that one side takes is refused by the other',
    fix: 'set max.message.bytes alike',
  },
] as const satisfies readonly Readonly<{
  field: Exclude<keyof TopicSettings, 'topic'>;
  level: 'blocker' | 'warn';
  why: string;
  fix: string;
}>[];

const FENCED_BYTES = 1; // ours: not what the topic is set to

export function topicLines(sides: Sides): readonly Finding[] {
  const here = sides.settings(sides.active)?.topics;
  const there = sides.settings(sides.standby)?.topics;
  if (here === undefined || there === undefined)
    return [{ level: 'unknown', what: 'topics were not compared', fix: 'run an agent of this version in both IDCs' }];
  const copies = new Map(there.map((t) => [t.topic, t]));
  const lines = here.flatMap((topic): readonly Finding[] => {
    const copy = copies.get(topic.topic);
    if (copy === undefined) {
      const what = `${topic.topic} does not exist on ${sides.standby}`;
      return [
        { level: 'warn', what, fix: 'wait for refresh.topics.interval.seconds, or create it with the same partitions' },
      ];
    }
    return COMPARED.flatMap(({ field, level, why, fix }) => {
      const [x, y] = [topic[field], copy[field]];
      const fenced = field === 'maxMessageBytes' && (x === FENCED_BYTES || y === FENCED_BYTES);
      if (x === null || y === null || x === y || fenced) return [];
      return [
        { level, what: `${topic.topic}: ${field} ${x} on ${sides.active}, ${y} on ${sides.standby}: ${why}`, fix },
      ];
    });
  });
  return lines.length === 0 ? [{ level: 'ok', what: `${here.length} topics are alike on both sides` }] : lines;
}

const RULES: readonly Readonly<{
  key: string;
  wanted: string;
  fallback: number; // Kafka's default
  tooLong(value: number): boolean;
  why: string;
}>[] = [
  {
    key: 'refresh.topics.interval.seconds',
    wanted: '30',
    fallback: 600,
    tooLong: (s) => s > 60,
    why: 'new topics are not copied for so long',
  },
  {
    key: 'refresh.groups.interval.seconds',
    wanted: '30',
    fallback: 600,
    tooLong: (s) => s > 60,
    why: 'new consumer groups have no position for so long',
  },
  {
    key: 'emit.checkpoints.interval.seconds',
    wanted: '5',
    fallback: 60,
    tooLong: (s) => s > 30,
    why: 'positions on the standby are so old',
  },
  {
    key: 'producer.override.delivery.timeout.ms',
    wanted: '10000',
    fallback: 120_000,
    tooLong: (ms) => ms > 30_000,
    why: 'stopping the flow waits for so long on a dead cluster',
  },
];

export function connectorLines({ forwardSettings }: Sides): readonly Finding[] {
  const config = forwardSettings?.connectorConfig;
  if (config === undefined) return [];
  const lines = RULES.flatMap(({ key, wanted, fallback, tooLong, why }): readonly Finding[] => {
    const said = config[key];
    const value = said === undefined ? fallback : Number(said);
    if (!tooLong(value)) return [];
    return [
      {
        level: 'warn',
        what: `${key} is ${value}${said === undefined ? ' (default)' : ''}: ${why}`,
        fix: `${key}=${wanted}`,
      },
    ];
  });
  if (config['offset-syncs.topic.location'] !== 'target')
    return [
      ...lines,
      {
        level: 'warn',
        what: 'offset syncs lie on the source: they die with it, and agents must have read them before',
        fix: 'offset-syncs.topic.location=target on source and checkpoint connector',
      },
    ];
  return lines;
}

import type { TopicSettings } from '../matrix/facts.js';
import { refreshText } from './connector-rules.js';
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
  field: Exclude<keyof TopicSettings, 'topic' | 'retentionMs' | 'retentionBytes'>;
  level: 'blocker' | 'warn';
  why: string;
  fix: string;
}>[];

export const FENCED_BYTES = 1; // ours: not what the topic is set to

export function topicLines(sides: Sides): readonly Finding[] {
  const here = sides.settings(sides.active)?.topics;
  const there = sides.settings(sides.standby)?.topics;
  if (here === undefined || there === undefined)
    return [{ level: 'unknown', what: 'topics were not compared', fix: 'run an agent of this version in both IDCs' }];
  const copies = new Map(there.map((t) => [t.topic, t]));
  const renames = sides.forward?.naming === 'default';
  const originals = here.filter((t) => !renames || !t.topic.startsWith(`${sides.standby}.`));
  const lines = originals.flatMap((topic): readonly Finding[] => {
    const copyName = renames ? `${sides.active}.${topic.topic}` : topic.topic;
    const copy = copies.get(copyName);
    if (copy === undefined) {
      const what = `${copyName} does not exist on ${sides.standby}`;
      const fix = `${refreshText(sides, 'topics')}; else the connector's \`topics\` do not reach ${topic.topic}`;
      return [{ level: 'warn', what, fix }];
    }
    if (renames && !copies.has(topic.topic)) {
      const what = `${topic.topic} itself does not exist on ${sides.standby}: producers would find nothing to write to`;
      return [{ level: 'blocker', what, fix: 'create it there with the same partitions' }];
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
  return lines.length === 0 ? [{ level: 'ok', what: `${originals.length} topics are alike on both sides` }] : lines;
}

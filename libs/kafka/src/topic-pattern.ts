/** A topic pattern of a failover group: a literal name, or a prefix with one trailing `*`. */
export type TopicPattern = string;

export const matchesPattern = (pattern: TopicPattern, topic: string): boolean =>
  pattern.endsWith('*') ? topic.startsWith(pattern.slice(0, -1)) : topic === pattern;

/** A predicate over many patterns; literals are looked up, only prefixes are walked. */
export function topicMatcher(patterns: readonly TopicPattern[]): (topic: string) => boolean {
  const literals = new Set(patterns.filter((p) => !p.endsWith('*')));
  const prefixes = patterns.filter((p) => p.endsWith('*')).map((p) => p.slice(0, -1));
  return (topic) => literals.has(topic) || prefixes.some((prefix) => topic.startsWith(prefix));
}

/** Topics that the product or Kafka keep for themselves: a pattern like `*` never reaches them. */
export const isInternalTopic = (topic: string): boolean =>
  topic.startsWith('__') ||
  topic.startsWith('pointsman-') ||
  topic.endsWith('.internal') ||
  topic.endsWith('-internal');

/** What `init` must know, in the order in which a person is asked. `fallback` null: there is no sensible guess. */
export const QUESTIONS = [
  { key: 'idcs', flag: '--idcs', ask: 'The three IDCs: active, standby, witness', fallback: 'a,b,c' },
  { key: 'hosts', flag: '--hosts', ask: 'Host of the controller in each of them', fallback: null },
  { key: 'kafka', flag: '--kafka', ask: 'Bootstrap servers of the active cluster', fallback: null },
  { key: 'standbyKafka', flag: '--standby-kafka', ask: 'Bootstrap servers of the standby', fallback: null },
  { key: 'connect', flag: '--connect', ask: 'Connect worker beside the active cluster (URL)', fallback: null },
  { key: 'standbyConnect', flag: '--standby-connect', ask: 'Connect worker beside the standby (URL)', fallback: null },
  { key: 'etcd', flag: '--etcd', ask: 'etcd that clients read (URLs; empty: the store itself)', fallback: '' },
  { key: 'group', flag: '--group', ask: 'Name of the failover group', fallback: 'main' },
  { key: 'topics', flag: '--topics', ask: 'Topics that switch together', fallback: null },
  { key: 'consumerGroups', flag: '--consumer-groups', ask: 'Consumer groups that go along', fallback: '' },
  { key: 'maxLoss', flag: '--max-loss', ask: 'Records that an unplanned failover may lose', fallback: null },
  { key: 'maxLag', flag: '--max-lag', ask: 'And the time (e.g. 30s)', fallback: null },
] as const;

export type AnswerKey = (typeof QUESTIONS)[number]['key'];
export type Answers = Readonly<Record<AnswerKey, string>>;

/** Comma separated, blanks around the commas ignored. */
export const listOf = (text: string): readonly string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);

/** What `init` must know, in the order in which a person is asked. `fallback` null: there is no sensible guess. */
export const QUESTIONS = [
  { key: 'idcs', flag: '--idcs', ask: 'The three IDCs: active, standby, witness', fallback: 'a,b,c' },
  { key: 'hosts', flag: '--hosts', ask: 'Host of each of them (host, or host:http:grpc:metrics)', fallback: null },
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
  { key: 'configDir', flag: '--config-dir', ask: 'Folder of certificates and secrets', fallback: '/etc/pointsman' },
  { key: 'stateDir', flag: '--state-dir', ask: 'Folder of what the programs remember', fallback: '/var/lib/pointsman' },
] as const;

export type AnswerKey = (typeof QUESTIONS)[number]['key'];
export type Answers = Readonly<Record<AnswerKey, string>>;

/** Where the programs of an IDC are reached, and on which ports they listen. */
export type Host = Readonly<{ name: string; httpPort: number; grpcPort: number; metricsPort: number }>;

const HOST = /^(\[[^\]]+\]|[^:\s]+)(?::(\d{1,5}))?(?::(\d{1,5}))?(?::(\d{1,5}))?$/;

/** `host`, or with the ports that are not the usual ones: `host:http`, `host:http:grpc:metrics`. Null: it is neither. */
export function hostOf(text: string): Host | null {
  const [whole, name = '', http = '8080', grpc = '9090', metrics = '9464'] = HOST.exec(text) ?? [];
  if (whole === undefined) return null;
  return { name, httpPort: Number(http), grpcPort: Number(grpc), metricsPort: Number(metrics) };
}

/** Comma separated, blanks around the commas ignored. */
export const listOf = (text: string): readonly string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);

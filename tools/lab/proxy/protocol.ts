/**
 * What the lab and its proxy process say to each other over Node's IPC channel, as JSON.
 * Every request is answered once, by `seq`.
 */
export type Wire = 'kafka' | 'connect' | 'etcd' | 'other';

export type RouteSpec = {
  /** The IDC whose processes use this port: cuts and counts go by it. */
  readonly viewer: string;
  readonly targetIdc: string;
  /** What stands behind it, as shown in `proxyStats().bytes`: `kafka a`, `connect b`, `postgres`, `port 20123`. */
  readonly label: string;
  readonly wire: Wire;
  readonly port: number;
  readonly upstreamPort: number;
};

export type ProxyRequest =
  | { readonly op: 'add'; readonly routes: readonly RouteSpec[] }
  | { readonly op: 'cut' | 'heal'; readonly idcs: readonly [string, string] }
  | { readonly op: 'down'; readonly upstreamPorts: readonly number[] }
  | { readonly op: 'await-up'; readonly upstreamPorts: readonly number[]; readonly timeoutMs: number }
  | { readonly op: 'stats' }
  | { readonly op: 'reset-stats' };

export type ProxyEnvelope = { readonly seq: number; readonly request: ProxyRequest };
export type ProxyReply =
  | { readonly seq: number; readonly ok: true; readonly value: unknown }
  | { readonly seq: number; readonly ok: false; readonly error: string };

/** Counts keyed by `<viewer>-><target IDC>`, then by API name (Kafka) or method (Connect). */
export type CountsByPair = Readonly<Record<string, Readonly<Record<string, number>>>>;

export type ConnectMutation = {
  readonly atMs: number;
  readonly viewer: string;
  readonly target: string;
  readonly method: string;
  readonly path: string;
};

export type ProxyStats = {
  readonly kafkaRequests: CountsByPair;
  /** By `<viewer>-><target IDC>`, then by Kafka client id, then by API name. */
  readonly kafkaRequestsByClient: Readonly<Record<string, CountsByPair>>;
  readonly mutating: {
    readonly kafka: CountsByPair;
    readonly connect: CountsByPair;
    /** The newest mutating Connect requests, oldest first, at most {@link MAX_MUTATION_LOG}. */
    readonly connectLog: readonly ConnectMutation[];
  };
  readonly connectRequests: CountsByPair;
  /** Calls of etcd's JSON gateway by path, each as a POST. */
  readonly etcdRequests: CountsByPair;
  /** By `<viewer>-><label>`; `sent` = from the viewer, `received` = to it, in bytes. */
  readonly bytes: Readonly<
    Record<string, { readonly sent: number; readonly received: number; readonly connections: number }>
  >;
};

export const MAX_MUTATION_LOG = 1000;

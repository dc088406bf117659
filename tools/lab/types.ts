import type { KafkaVersion, Progress } from '../setup/index.js';

export const labIdcs = ['a', 'b', 'c'] as const;
/** The lab's IDCs: Kafka lives in a and b, PostgreSQL and etcd in c. */
export type LabIdc = (typeof labIdcs)[number];
export type LabClusterName = 'a' | 'b';

export type LabClusterOptions = { readonly brokers: 1 | 3; readonly version: KafkaVersion };

export type LabOptions = {
  /** Default: one 4.3 broker each in a and b. Leave a cluster out to have none. */
  readonly clusters?: Readonly<Partial<Record<LabClusterName, Partial<LabClusterOptions>>>>;
  /** One Connect worker beside each cluster. Default true. */
  readonly connect?: boolean;
  /** Default true: the npm package's. `debian`: one that `pg_dump` of its version comes with. */
  readonly postgres?: boolean | 'debian';
  /** Default false. */
  readonly etcd?: boolean;
  /** `fast` (default): a dead broker is noticed after 3 s; `default`: Kafka's own 9 s. */
  readonly sessionProfile?: 'fast' | 'default';
  /** `sasl`: SASL_PLAINTEXT with PLAIN and SCRAM-SHA-256, StandardAuthorizer, the users of `labUsers`. Default `plaintext`. */
  readonly security?: 'plaintext' | 'sasl';
  /** Keep the run folder (logs, data) after close. */
  readonly keep?: boolean;
  readonly onProgress?: Progress;
};

export type LabTarget =
  | { readonly broker: readonly [LabClusterName, number] }
  | { readonly cluster: LabClusterName }
  | { readonly connect: LabClusterName }
  | { readonly idc: LabIdc }
  | { readonly process: string }
  | { readonly postgres: true }
  | { readonly etcd: true };

export type LabTopic = {
  readonly name: string;
  readonly partitions: number;
  /** Default: the number of brokers. */
  readonly replicationFactor?: number;
  readonly configs?: Readonly<Record<string, string>>;
};

export type LabFlow = {
  readonly from: LabClusterName;
  readonly to: LabClusterName;
  /** Literal, or with a trailing `*`. */
  readonly topics: readonly string[];
  readonly consumerGroups: readonly string[];
  /** State of the source and checkpoint connectors; heartbeats always run. */
  readonly state: 'RUNNING' | 'STOPPED';
  /** Topic names on the target. Default `identity`. */
  readonly naming?: 'identity' | 'prefixed';
  /** Default `<from>-<to>-{src,cp,hb}`. */
  readonly connectors?: { readonly source: string; readonly checkpoint: string; readonly heartbeat: string };
  /** Overrides settings of all three connectors, e.g. to leave a recommended one out (value undefined). */
  readonly overrides?: Readonly<Record<string, string | undefined>>;
};

export type LabFlowConnectors = { readonly source: string; readonly checkpoint: string; readonly heartbeat: string };

export type LabSpawn = {
  readonly idc: LabIdc;
  /** Unique in the lab; also the name of its log. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Ports it listens on: routes to them refuse at once when it is killed (else after the first refused connection). */
  readonly ports?: readonly number[];
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
};

/** Users of a `sasl` lab; the password of each is `<name>-secret`. admin and mm2 are super users, app2 has no rights. */
export const labUsers = ['admin', 'mm2', 'agent', 'witness', 'app', 'app2'] as const;
export type LabUser = (typeof labUsers)[number];

export function labPassword(user: LabUser): string {
  return `${user}-secret`;
}

/** How a user logs in with kafkajs; undefined in a lab without an authorizer. */
export function labLogin(
  security: NonNullable<LabOptions['security']>,
  user: LabUser,
): { readonly mechanism: 'plain'; readonly username: string; readonly password: string } | undefined {
  return security === 'sasl' ? { mechanism: 'plain', username: user, password: labPassword(user) } : undefined;
}

import type { AgentId, ClusterName, IdcName, Ms } from '#health';

/** The agent's configuration, compiled: validated, every default filled in, secrets read from their files, frozen. */
export type AgentConfig = Readonly<{
  agent: Readonly<{ id: AgentId; idc: IdcName; dataDir: string }>;
  logLevel: string;
  controllers: readonly string[]; // host:port
  tls: TlsFiles | null; // null: plaintext
  http: Readonly<{ host: string; port: number }> | null; // /metrics, /healthz, /readyz
  probe: ProbeConfig;
  referenceTargets: readonly ReferenceTarget[];
  clusters: readonly AgentClusterConfig[];
  /** `resolverModule`: the operator's own rule for strategy custom of a replay. */
  tail?: Readonly<{ resolverModule?: string | undefined }> | undefined;
}>;

export type TlsFiles = Readonly<{ caFile: string; certFile: string; keyFile: string }>;

/** `failures`: consecutive failed samples before DOWN. */
export type ProbeConfig = Readonly<{ periodMs: Ms; timeoutMs: Ms; failures: number }>;

/** Something in another IDC that answers TCP and is no Kafka broker: tells "they are gone" from "I am cut off". */
export type ReferenceTarget = Readonly<{ idc: IdcName; address: string }>;

/** One cluster that this agent may reach. Credentials live only here. */
export type AgentClusterConfig = Readonly<{
  name: ClusterName;
  idc: IdcName | null; // null: the controllers say it
  bootstrapServers: readonly string[]; // host:port
  security: KafkaSecurity;
  ordinary: Readonly<{ security: KafkaSecurity; bootstrapServers?: readonly string[] }> | null; // an ordinary principal, for the check topic; where applications connect, if not as the agent
  connectUrl: string | null; // the Connect worker whose own cluster this is
  fence?: ClusterFenceConfig; // absent: topic configuration is the only fence
}>;

export type ClusterFenceConfig = Readonly<{
  exempt: readonly string[] | null; // principals that must go on writing, `User:mm2`; null: nobody said it, so no ACL fence
  hook: FenceHook | null;
}>;

/** The operator's own commands, each an argv without a shell. */
export type FenceHook = Readonly<{
  fence: readonly string[];
  open: readonly string[];
  check: readonly string[]; // exit 0: fenced, 1: open, anything else: unknown
  timeoutMs: Ms;
  perGroup: boolean; // false: it closes the cluster for everybody
}>;

/** Secrets already read from their files; never logged. */
export type KafkaSecurity = Readonly<{
  protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  sasl: Readonly<{ mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'; username: string; password: string }> | null;
  tls: Readonly<{
    ca: string | null; // PEM
    cert: string | null;
    key: string | null;
    rejectUnauthorized: boolean;
    servername: string | null;
  }> | null;
}>;

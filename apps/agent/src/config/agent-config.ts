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
  ordinary: Readonly<{ security: KafkaSecurity }> | null; // credentials of an ordinary principal, for the check topic
  connectUrl: string | null; // the Connect worker whose own cluster this is
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

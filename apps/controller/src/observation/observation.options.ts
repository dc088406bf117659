import type { AgentId, ClusterName, IdcName, Ms } from '#health';
import type { WatchGroup } from '#failover';

/** What observation must know of the configuration; plain data, made once at start. */
export type ObservationOptions = Readonly<{
  controllerId: string;
  grpc: Readonly<{
    listen: string; // host:port; port 0 takes a free one
    tls: Readonly<{ caFile: string; certFile: string; keyFile: string }> | null; // null: plaintext
  }>;
  leaseTtlMs: Ms;
  probe: Readonly<{ periodMs: Ms; timeoutMs: Ms }>;
  clusters: readonly Readonly<{ name: ClusterName; idc: IdcName }>[];
  observers: readonly Readonly<{ agent: AgentId; idc: IdcName }>[];
  groups: readonly ObservedGroup[];
}>;

export type ObservedGroup = Readonly<{
  watch: Omit<WatchGroup, 'active' | 'epoch'>;
  placement: Readonly<{ storeSurvives: readonly IdcName[]; configCenterSurvives: readonly IdcName[] }>;
}>;

export const OBSERVATION_OPTIONS = Symbol('ObservationOptions');

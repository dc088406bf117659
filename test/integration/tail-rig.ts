import type { PartitionOffset } from '#failover';
import type { Lab } from '#lab';
import type { AgentConfig } from '../../apps/agent/src/config/agent-config.js';

/** Ends at the switch (S, of b) and of the returned cluster (E_a). */
export type TailEnds = Readonly<{ s: readonly PartitionOffset[]; end: readonly PartitionOffset[] }>;

/** An agent in a that reaches both clusters and both workers. */
export function tailAgent(lab: Lab): AgentConfig {
  const cluster = (name: 'a' | 'b') => ({
    name,
    idc: name,
    bootstrapServers: lab.bootstrapServers(name, 'a'),
    security: { protocol: 'PLAINTEXT', sasl: null, tls: null } as const,
    ordinary: null,
    connectUrl: lab.connectUrl(name, 'a'),
  });
  return {
    agent: { id: 'agent-a', idc: 'a', dataDir: `${lab.dir}/agent-a` },
    logLevel: 'info',
    controllers: [],
    tls: null,
    http: null,
    probe: { periodMs: 1_000, timeoutMs: 1_000, failures: 3 },
    referenceTargets: [],
    clusters: [cluster('a'), cluster('b')],
  };
}

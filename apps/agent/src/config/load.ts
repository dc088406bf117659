import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import {
  ConfigError,
  loadConfigFile,
  type Logger,
  readSecretFile,
  type ServiceManager,
  serviceManager,
  splitHostPort,
} from '#platform';
import type { AgentClusterConfig, AgentConfig, ClusterFenceConfig, KafkaSecurity } from './agent-config.js';
import { brokenRules } from './rules.js';
import { agentSchema, type RawAgentConfig, type RawFence, type RawOrdinary, type RawSecurity } from './schema.js';

/**
 * Reads and compiles the agent's configuration file. Relative paths in it are relative to the file's own folder.
 * @throws {ConfigError} every problem at once, each with file, line and column; also for a secret file that cannot be read
 */
export function loadAgentConfig(file: string): AgentConfig {
  const raw = loadConfigFile(file, agentSchema, brokenRules);
  const base = dirname(resolve(file));
  try {
    return Object.freeze(compile(raw, (path) => (isAbsolute(path) ? path : join(base, path))));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new ConfigError([{ file, line: 1, column: 1, path: '', message }]);
  }
}

type Locate = (path: string) => string;

function compile(raw: RawAgentConfig, at: Locate): AgentConfig {
  const { tls, http, probe } = raw;
  return {
    agent: { ...raw.agent, dataDir: at(raw.agent.dataDir) },
    logLevel: raw.log.level,
    controllers: raw.controllers,
    tls: tls === undefined ? null : { caFile: at(tls.caFile), certFile: at(tls.certFile), keyFile: at(tls.keyFile) },
    http: http === undefined ? null : splitHostPort(http.listen),
    probe: { periodMs: probe.period, timeoutMs: probe.timeout, failures: probe.failures },
    referenceTargets: raw.referenceTargets,
    tail: raw.tail?.resolverModule === undefined ? undefined : { resolverModule: at(raw.tail.resolverModule) },
    clusters: raw.clusters.map((c): AgentClusterConfig => ({
      name: c.name,
      idc: c.idc ?? null,
      bootstrapServers: c.bootstrapServers,
      security: compileSecurity(c.security, at),
      ordinary: c.ordinary === undefined ? null : compileOrdinary(c.ordinary, at),
      connectUrl: c.connectUrl ?? null,
      ...(c.fence === undefined ? {} : { fence: compileFence(c.fence) }),
    })),
  };
}

const compileOrdinary = (raw: RawOrdinary, at: Locate): NonNullable<AgentClusterConfig['ordinary']> => ({
  security: compileSecurity(raw.security, at),
  ...(raw.bootstrapServers === undefined ? {} : { bootstrapServers: raw.bootstrapServers }),
});

function compileFence({ exempt, hook }: RawFence): ClusterFenceConfig {
  if (hook === undefined) return { exempt: exempt ?? null, hook: null };
  const { timeout: timeoutMs, ...commands } = hook;
  return { exempt: exempt ?? null, hook: { ...commands, timeoutMs } };
}

function compileSecurity(raw: RawSecurity, at: Locate): KafkaSecurity {
  const { protocol, sasl, tls } = raw;
  const pem = (path: string | undefined): string | null => (path === undefined ? null : readFileSync(at(path), 'utf8'));
  return {
    protocol,
    sasl:
      sasl === undefined
        ? null
        : { mechanism: sasl.mechanism, username: sasl.username, password: readSecretFile(at(sasl.passwordFile)) },
    tls: protocol.endsWith('SSL')
      ? {
          ca: pem(tls?.caFile),
          cert: pem(tls?.certFile),
          key: pem(tls?.keyFile),
          rejectUnauthorized: tls?.rejectUnauthorized ?? true,
          servername: tls?.servername ?? null,
        }
      : null,
  };
}

/** systemd, when it started this agent; here because nothing else reads the environment. */
export const loadServiceManager = (logger: Logger, env: NodeJS.ProcessEnv = process.env): ServiceManager =>
  serviceManager(env, logger);

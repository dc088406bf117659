import { isIP } from 'node:net';
import type { Ms } from '#health';
import type { ClusterIdentity } from './cluster-identity.js';

export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';

/** Security of one principal, files already read into values. Never logged, never sent anywhere but to the broker. */
export type ClusterSecurity = Readonly<{
  protocol: SecurityProtocol;
  sasl: Readonly<{ mechanism: SaslMechanism; username: string; password: string }> | null;
  tls: Readonly<{
    ca: string | null; // PEM
    cert: string | null; // PEM, mTLS
    key: string | null;
    rejectUnauthorized: boolean;
    servername: string | null; // null: the broker's own name
  }> | null;
}>;

export type ClusterConnectionConfig = Readonly<{
  clientId: string;
  bootstrapServers: readonly string[]; // host:port
  security: ClusterSecurity;
  identity?: ClusterIdentity | undefined; // whose answers alone are taken; none: anybody's
}>;

export const PLAINTEXT: ClusterSecurity = { protocol: 'PLAINTEXT', sasl: null, tls: null };

export class SecurityConfigError extends Error {
  readonly code = 'POINTSMAN_KAFKA_SECURITY_CONFIG';
}

export const usesTls = (s: ClusterSecurity): boolean => s.protocol === 'SSL' || s.protocol === 'SASL_SSL';
export const usesSasl = (s: ClusterSecurity): boolean => s.protocol === 'SASL_PLAINTEXT' || s.protocol === 'SASL_SSL';

/** The adapter's options for one broker. `host` is the name in its certificate, also when an address is dialled. */
export function securityOptions(security: ClusterSecurity, host: string) {
  const { protocol, sasl, tls } = security;
  if (usesSasl(security) && !sasl) throw new SecurityConfigError(`${protocol} needs mechanism, username and password`);
  const name = tls?.servername ?? (isIP(host) === 0 ? host : null);
  return {
    ...(usesSasl(security) && sasl ? { sasl: { ...sasl } } : {}),
    ...(usesTls(security)
      ? {
          tls: {
            rejectUnauthorized: tls?.rejectUnauthorized ?? true,
            ...(tls?.ca ? { ca: tls.ca } : {}),
            ...(tls?.cert ? { cert: tls.cert } : {}),
            ...(tls?.key ? { key: tls.key } : {}),
          },
          ...(name ? { tlsServerName: name } : {}),
        }
      : {}),
  };
}

/** Half of a deadline is the most that a name may take to resolve before the last good address is used. */
export const resolvePatienceMs = (deadlineMs: Ms): Ms => deadlineMs / 2;

/** `host:port` (an IPv6 host in brackets) → its parts. */
export function parseAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  const host = address.slice(0, at).replace(/^\[|\]$/g, '');
  const port = Number(address.slice(at + 1));
  if (at < 1 || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new SecurityConfigError(`"${address}" is not host:port`);
  }
  return { host, port };
}

export const formatAddress = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

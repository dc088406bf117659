import { isIP } from 'node:net';

export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';

/** Security of one principal, with files already read into values. Never logged, never sent anywhere but to the broker. */
export type ClusterSecurity = Readonly<{
  protocol: SecurityProtocol;
  mechanism?: SaslMechanism;
  username?: string;
  password?: string;
  ca?: string; // PEM
  cert?: string; // PEM, mTLS
  key?: string; // PEM, mTLS
}>;

export type ClusterConnectionConfig = Readonly<{
  clientId: string;
  bootstrapServers: readonly string[]; // host:port
  security: ClusterSecurity;
}>;

export const PLAINTEXT: ClusterSecurity = { protocol: 'PLAINTEXT' };

export class SecurityConfigError extends Error {
  readonly code = 'POINTSMAN_KAFKA_SECURITY_CONFIG';
}

export const usesTls = (s: ClusterSecurity): boolean => s.protocol === 'SSL' || s.protocol === 'SASL_SSL';
export const usesSasl = (s: ClusterSecurity): boolean => s.protocol === 'SASL_PLAINTEXT' || s.protocol === 'SASL_SSL';

/** The adapter's connection options for one broker. `host` is the name in the certificate, also when an address is dialled. */
export function securityOptions(security: ClusterSecurity, host: string) {
  const { mechanism, username, password } = security;
  if (usesSasl(security) && (!mechanism || username === undefined || password === undefined)) {
    throw new SecurityConfigError(
      `${security.protocol} needs mechanism, username and password; have mechanism=${mechanism ?? 'none'}`,
    );
  }
  return {
    ...(usesSasl(security) && mechanism ? { sasl: { mechanism, username: username ?? '', password: password ?? '' } } : {}),
    ...(usesTls(security)
      ? {
          tls: {
            ...(security.ca ? { ca: security.ca } : {}),
            ...(security.cert ? { cert: security.cert } : {}),
            ...(security.key ? { key: security.key } : {}),
          },
          ...(isIP(host) === 0 ? { tlsServerName: host } : {}),
        }
      : {}),
  };
}

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

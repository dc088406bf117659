import type { Mode, Policy } from '#failover';
import type { OidcOptions } from './oidc/oidc.options.js';

/** Per token and controller; reads and writes apart. */
export type RateLimit = Readonly<{ windowMs: number; reads: number; writes: number }>;

export type OperatorOptions = Readonly<{
  controllerId: string;
  version: string;
  /** The admin token of the configuration file under /v1; null: only calls from this machine itself are served. */
  token: string | null;
  rateLimit: RateLimit;
  /** Sign-in by JWTs of an issuer, beside the tokens; null or absent: none. */
  oidc?: OidcOptions | null;
  groups: readonly Readonly<{
    name: string;
    clusters: readonly string[];
    consumerGroups: readonly string[];
    principals: readonly string[];
    policy: Policy;
    /** By the file; an operator may have set another one since. */
    mode: Mode;
  }>[];
  /** One per observer: what `auto` asks about. */
  observerIdcs: readonly string[];
  /** How often an open event stream looks for news. */
  eventPollMs?: number;
  /** A comment on a quiet event stream, so that both ends notice a dead connection. */
  eventHeartbeatMs?: number;
  /** How often the audit hears of a denied read that is repeated. */
  deniedRepeatsMs?: number;
}>;

export const OPERATOR_OPTIONS = Symbol('OperatorOptions');

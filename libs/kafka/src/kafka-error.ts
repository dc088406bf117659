import type { ProbeErrorKind } from '#health';

/** What an error of the client library means to us: a kind that may or may not count as down, and the broker's code. */
export type Failure = Readonly<{ kind: ProbeErrorKind; errorCode: number | null; detail: string }>;

/** Operating-system, DNS and TLS codes. First match along the error's causes wins; a code not listed is never "down". */
const KIND_BY_SYSTEM_CODE: Readonly<Record<string, ProbeErrorKind>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  EHOSTUNREACH: 'no_route',
  ENETUNREACH: 'no_route',
  EHOSTDOWN: 'no_route',
  ENETDOWN: 'no_route',
  ETIMEDOUT: 'deadline',
  POINTSMAN_DEADLINE: 'deadline',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  EAI_NODATA: 'dns',
  EPROTO: 'tls',
  HOSTNAME_MISMATCH: 'tls',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls',
  UNABLE_TO_GET_ISSUER_CERT: 'tls',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls',
};
const TLS_CODE_PREFIXES = ['ERR_SSL_', 'ERR_TLS_', 'ERR_OSSL_', 'CERT_'] as const;

/** Kafka protocol codes with a meaning of their own; every other code is `broker`, judged by its number. */
const KIND_BY_PROTOCOL_CODE: Readonly<Record<number, ProbeErrorKind>> = {
  29: 'authorization', // TOPIC_AUTHORIZATION_FAILED
  30: 'authorization', // GROUP_AUTHORIZATION_FAILED
  31: 'authorization', // CLUSTER_AUTHORIZATION_FAILED
  53: 'authorization', // TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  65: 'authorization', // DELEGATION_TOKEN_AUTHORIZATION_FAILED
  33: 'authentication', // UNSUPPORTED_SASL_MECHANISM
  34: 'authentication', // ILLEGAL_SASL_STATE
  58: 'authentication', // SASL_AUTHENTICATION_FAILED
  89: 'quota', // THROTTLING_QUOTA_EXCEEDED
};

type Link = Readonly<{ code?: unknown; apiCode?: unknown; message: string }>;

/** The error, its causes and its parts, outermost first; bounded, because causes may form a ring. */
function chain(error: unknown): readonly Link[] {
  const links: Link[] = [];
  const queue: unknown[] = [error];
  while (queue.length > 0 && links.length < 32) {
    const next = queue.shift();
    if (!(next instanceof Error)) continue;
    links.push(next);
    if (next.cause !== undefined) queue.push(next.cause);
    if (next instanceof AggregateError) queue.push(...next.errors.slice(0, 8));
  }
  return links;
}

const systemKind = (code: unknown): ProbeErrorKind | null => {
  if (typeof code !== 'string') return null;
  return KIND_BY_SYSTEM_CODE[code] ?? (TLS_CODE_PREFIXES.some((p) => code.startsWith(p)) ? 'tls' : null);
};

/** Maps any error of a call to its {@link Failure}. An unknown error is `other`: it never counts as down. */
export function failureOf(error: unknown): Failure {
  const links = chain(error);
  const detail = links.map((l) => l.message).join(': ') || String(error);
  const protocolCode = links.map((l) => l.apiCode).find((c): c is number => typeof c === 'number') ?? null;
  const said = (text: string): boolean => links.some((l) => l.message.includes(text));
  for (const link of links) {
    const kind = systemKind(link.code);
    if (kind) return { kind, errorCode: null, detail };
  }
  if (protocolCode !== null) return failureOfCode(protocolCode, detail);
  // The broker (or what stands before it) closed an established connection: a reset without the packet.
  if (said('Connection closed')) return { kind: 'reset', errorCode: null, detail };
  if (links.some((l) => l.code === 'PLT_KFK_AUTHENTICATION'))
    return { kind: 'authentication', errorCode: null, detail };
  if (said('timed out')) return { kind: 'deadline', errorCode: null, detail };
  return { kind: 'other', errorCode: null, detail };
}

/** A protocol code that came as a value, not as an error. */
export function failureOfCode(errorCode: number, detail: string): Failure {
  const kind = KIND_BY_PROTOCOL_CODE[errorCode] ?? (errorCode > 0 ? 'broker' : 'other');
  return { kind, errorCode, detail };
}

/** Thrown by the hands. `kind` and `errorCode` say who must act; the message says on what. */
export class KafkaCallError extends Error {
  readonly code = 'POINTSMAN_KAFKA_CALL';
  readonly kind: ProbeErrorKind;
  readonly errorCode: number | null;
  constructor(what: string, failure: Failure, options?: ErrorOptions) {
    super(
      `${what}: ${failure.kind}${failure.errorCode === null ? '' : ` (code ${failure.errorCode})`}: ${failure.detail}`,
      options,
    );
    this.name = 'KafkaCallError';
    this.kind = failure.kind;
    this.errorCode = failure.errorCode;
  }
}

/**
 * The reply inside an error. The library throws when any part of an answer carries an error code; the whole decoded
 * answer hangs on the error, and one leaderless partition must not blind us to all others.
 */
export function responseIn<T>(error: unknown): T | null {
  if (error instanceof Error && 'response' in error && typeof error.response === 'object')
    return (error.response as T) ?? null;
  return null;
}

import { PROBLEMS, type ProblemCode } from './problem-codes.js';
import type { Route, RouteKind } from './route.js';

const ANY: readonly ProblemCode[] = ['malformed_request', 'too_many_requests', 'internal', 'store_unavailable'];
const KNOWN: readonly ProblemCode[] = [
  'token_missing',
  'token_wrong',
  'role_too_low',
  'role_missing',
  'loopback_only',
  'sign_in_unavailable',
];
const LED: readonly ProblemCode[] = ['not_leader', 'no_leader', 'outcome_unknown'];
const KEYED: readonly ProblemCode[] = ['idempotency_key_missing', 'in_flight', 'idempotency_key_reused'];
const BODY: readonly ProblemCode[] = ['invalid_body', 'body_too_large', 'unsupported_media_type'];

const BY_KIND: Readonly<Record<RouteKind, readonly ProblemCode[]>> = {
  read: [],
  'keyed-write': [...LED, ...KEYED],
  'epoch-write': [...LED, ...KEYED, 'if_match_missing', 'stale_epoch'],
};

/** Every problem that a route may answer, by status: what its kind, its role, its query and itself bring. */
export function problemsOf(route: Route): ReadonlyMap<number, readonly ProblemCode[]> {
  const codes = new Set<ProblemCode>([
    ...(route.role === null ? [] : [...ANY, ...KNOWN]),
    ...BY_KIND[route.kind],
    ...(route.method === 'POST' ? BODY : []),
    ...(route.query === undefined ? [] : (['invalid_query'] as const)),
    ...(route.path.includes(':') ? (['not_found'] as const) : []),
    ...(route.problems ?? []),
  ]);
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return new Map([...byStatus].toSorted(([a], [b]) => a - b));
}

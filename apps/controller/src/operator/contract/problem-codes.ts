/** Every code of a problem: its status, and what a caller does about it. docs/api.md shows this table. */
export const PROBLEMS = {
  invalid_body: { status: 400, todo: 'mend what `errors` lists, all at once' },
  invalid_query: { status: 400, todo: 'mend what `errors` lists, all at once' },
  idempotency_key_missing: { status: 400, todo: 'send a new `Idempotency-Key` with every intended act' },
  malformed_request: { status: 400, todo: 'the body is not JSON, or the path is not well encoded' },
  token_missing: { status: 401, todo: 'send the token' },
  token_wrong: { status: 401, todo: 'the token is not valid, or no longer: ask an admin for another' },
  role_too_low: { status: 403, todo: 'ask an admin for a token with the role that `title` names' },
  role_missing: {
    status: 403,
    todo: 'nothing in your sign-in gives a role here: ask who maps them (`http.oidc.roles`)',
  },
  loopback_only: { status: 403, todo: 'set `http.tokenFile`, or call from that machine under its loopback name' },
  not_found: { status: 404, todo: '`detail` names what there is' },
  in_flight: { status: 409, todo: 'repeat in a moment, with the same key' },
  not_paused: { status: 409, todo: 'nothing to resume' },
  refused: { status: 409, todo: 'every reason is in `blockedBy`, each with what lifts it; nothing was changed' },
  saga_closed: { status: 409, todo: 'nothing to abort any more' },
  too_late: { status: 409, todo: 'nothing to abort any more; to go back, ask for a `failback`' },
  nothing_dead: { status: 409, todo: 'no receiver was given up on' },
  stale_epoch: { status: 412, todo: 'look again, then decide again' },
  body_too_large: { status: 413, todo: 'no body of this API is that long' },
  unsupported_media_type: { status: 415, todo: 'send UTF-8 JSON' },
  not_leader: {
    status: 421,
    todo: 'send the same request to `leader` (not a redirect: those drop the Authorization header)',
  },
  idempotency_key_reused: { status: 422, todo: 'one key per intended act' },
  if_match_missing: { status: 428, todo: 'send the epoch you have seen' },
  too_many_requests: { status: 429, todo: 'wait `Retry-After` seconds' },
  internal: { status: 500, todo: 'report it with its `requestId`; another controller may be able to answer' },
  no_leader: { status: 503, todo: 'wait `Retry-After` seconds; nothing was changed' },
  store_unavailable: { status: 503, todo: 'wait `Retry-After` seconds; nothing was changed' },
  outcome_unknown: { status: 503, todo: 'repeat with the _same_ key: it is done once' },
  sign_in_unavailable: { status: 503, todo: 'the issuer’s keys were never read: use a token of the store, or wait' },
  too_many_streams: { status: 503, todo: 'wait `Retry-After` seconds, or ask another controller' },
  center_unavailable: { status: 503, todo: 'clients go on with their last pointer: look at the config center' },
  not_decided_yet: { status: 503, todo: 'the controller has just started: wait `Retry-After` seconds' },
} as const satisfies Readonly<Record<string, Readonly<{ status: number; todo: string }>>>;

export type ProblemCode = keyof typeof PROBLEMS;
export const PROBLEM_CODES = Object.keys(PROBLEMS) as ProblemCode[];

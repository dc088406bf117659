import type { z } from 'zod';
import type { Role } from '../../persistence/tokens.port.js';
import type { ProblemCode } from './problem-codes.js';

/**
 * What a call wants before its body is looked at.
 * `read`: any controller answers. `keyed-write`: the leader only, with an Idempotency-Key.
 * `epoch-write`: also the epoch that the caller has seen, as If-Match.
 */
export type RouteKind = 'read' | 'keyed-write' | 'epoch-write';

/** A whole number in the query string, for {@link queryInt}; `noDefault`: there is none to show. */
export type IntParam = Readonly<{ min: number; max: number; fallback: number; says: string; noDefault?: true }>;
/** A text in the query string. */
export type TextParam = Readonly<{ says: string; oneOf?: readonly string[]; example?: string; required?: true }>;

/** A body that may come, with one that fits; `media` other than JSON has no schema but text. */
export type Answer = Readonly<{
  status: number;
  says: string;
  schema?: z.ZodType;
  example?: unknown;
  media?: string;
  /** Response headers beside X-Request-Id, with what they say. */
  headers?: Readonly<Record<string, string>>;
}>;

/** One route of the API. `role` null: for monitors, without a token. */
export type Route = Readonly<{
  id: string; // operationId: names the call in clients made from the document
  method: 'GET' | 'POST';
  path: string; // as Express writes it: /v1/groups/:group
  role: Role | null;
  kind: RouteKind;
  tag: string;
  says: string;
  query?: Readonly<Record<string, IntParam | TextParam>>;
  headers?: Readonly<Record<string, TextParam>>;
  body?: Readonly<{ schema: z.ZodType; example: unknown }>;
  answers: readonly [Answer, ...Answer[]];
  /** Beside those that its kind brings. */
  problems?: readonly ProblemCode[];
}>;

/** Keeps the exact types of a table's entries. */
export const routes = <T extends Readonly<Record<string, Route>>>(table: T): T => table;

export const LIST: IntParam = { min: 1, max: 500, fallback: 50, says: 'how many at most' };

/** The highest number that {@link queryInt} reads. */
export const MAX_SEQ = 999_999_999_999_999;

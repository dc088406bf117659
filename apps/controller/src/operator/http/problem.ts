import { HttpException } from '@nestjs/common';
import type { PROBLEMS, ProblemCode } from '../contract/problem-codes.js';

/** What a Standard Schema says is wrong. */
type SchemaIssue = Readonly<{
  message: string;
  path?: readonly (PropertyKey | Readonly<{ key: PropertyKey }>)[] | undefined;
}>;

export type FieldError = Readonly<{ pointer: string; detail: string }>;
export type BlockedBy = Readonly<{ name: string; detail: string; liftedBy: string }>;

/** Every code has the one status that the table of problems gives it. */
type CodeAndStatus = { [C in ProblemCode]: { code: C; status: (typeof PROBLEMS)[C]['status'] } }[ProblemCode];

export type ProblemBody = Readonly<
  CodeAndStatus & {
    title: string;
    detail: string;
    blockedBy?: readonly BlockedBy[];
    errors?: readonly FieldError[];
    leader?: string | null;
  }
>;

/** An answer by RFC 9457: `code` is for programs and never changes, `detail` says what to do. */
export class Problem extends HttpException {
  constructor(
    readonly problem: ProblemBody,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(problem, problem.status);
  }
}

const escaped = (segment: string): string => segment.replaceAll('~', '~0').replaceAll('/', '~1');

/** All broken fields at once, each by its JSON pointer. */
export const invalidBody = (issues: readonly SchemaIssue[]): Problem =>
  new Problem({
    status: 400,
    code: 'invalid_body',
    title: 'The body does not fit the schema',
    detail: 'Mend the fields listed in errors and send it again.',
    errors: issues.map((issue) => ({
      pointer: (issue.path ?? []).map((p) => `/${escaped(String(typeof p === 'object' ? p.key : p))}`).join(''),
      detail: issue.message,
    })),
  });

export const notFound = (what: string, hint: string): Problem =>
  new Problem({ status: 404, code: 'not_found', title: `${what} does not exist`, detail: hint });

import { CliError, EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { ProblemBody } from './types.js';

/** An answer of the API that is not a success, in words for people and an exit code for scripts. */
export class ProblemError extends CliError {
  constructor(readonly problem: ProblemBody) {
    super(describe(problem), exitCodeOf(problem));
  }
}

const exitCodeOf = ({ status, code }: ProblemBody): ExitCode => {
  if (code === 'in_flight') return EXIT.timedOut;
  if (status === 401 || status === 403) return EXIT.notAuthorised;
  if (status === 400) return EXIT.usage;
  if ([409, 412, 421, 422, 428].includes(status)) return EXIT.refused;
  return EXIT.error;
};

const describe = (p: ProblemBody): string =>
  [
    `${p.title}: ${p.detail}`,
    ...p.errors.map((e) => `  ${e.pointer || '/'}: ${e.detail}`),
    ...p.blockedBy.map((b) => `  blocked by ${b.name}: ${b.detail}; lifted by: ${b.liftedBy}`),
    ...(p.requestId ? [`  (request ${p.requestId})`] : []),
  ].join('\n');

/** Fills what another server between us and the controller may have left out. */
export const parseProblem = (status: number, body: unknown): ProblemBody => {
  const known = typeof body === 'object' && body !== null ? (body as Partial<ProblemBody>) : {};
  return {
    status,
    code: known.code ?? `http_${status}`,
    title: known.title ?? `The server answered ${status}`,
    detail: known.detail ?? 'It gave no reason; is this a Pointsman controller?',
    blockedBy: known.blockedBy ?? [],
    errors: known.errors ?? [],
    leader: known.leader ?? null,
    requestId: known.requestId ?? '',
  };
};

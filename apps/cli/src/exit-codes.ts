/** What scripts rely on (docs/cli.md). A partial failure never exits 0. */
export const EXIT = {
  ok: 0,
  error: 1,
  usage: 2,
  degraded: 3,
  timedOut: 4,
  declined: 5,
  refused: 6,
  notAuthorised: 7,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An expected failure: `message` says what happened and what to do, and nothing else is printed. */
export class CliError extends Error {
  override readonly name = 'CliError';
  constructor(
    message: string,
    readonly exitCode: ExitCode,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

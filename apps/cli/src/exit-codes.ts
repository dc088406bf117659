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

/** In words; the help, the man pages and docs/cli.md say the same. */
export const EXIT_MEANS = {
  ok: 'ok',
  error: 'error',
  usage: 'usage',
  degraded: 'degraded',
  timedOut: 'in progress or timed out',
  declined: 'declined',
  refused: 'refused',
  notAuthorised: 'not authorised',
} as const satisfies Record<keyof typeof EXIT, string>;

/** `0 ok, 1 error, …` */
export const exitLine = (): string =>
  Object.entries(EXIT_MEANS)
    .map(([name, means]) => `${EXIT[name as keyof typeof EXIT]} ${means}`)
    .join(', ');

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

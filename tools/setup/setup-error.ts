/** Something the set-up needs is missing. The message is one line: what is missing and the command that gives it. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
  readonly code = 'SETUP_INCOMPLETE';

  constructor(missing: string, remedy: string, options?: ErrorOptions) {
    super(`${missing}. ${remedy}`, options);
  }
}

/** What went wrong with a config center. `code` is stable, `remedy` says who does what, `cause` is the original error. */
export type ConfigCenterErrorCode =
  | 'CENTER_UNREACHABLE' // no answer within the deadline: retry, or look at the network
  | 'CENTER_REFUSED' // it answered, and refused: a person mends permissions, schema or configuration
  | 'CENTER_CONTENDED' // too many writers at once: retry
  | 'POINTER_INVALID' // what lies there is not a pointer: a person looks at who wrote it
  | 'CANARY_LOST' // a write was acknowledged and could not be read back
  | 'WENT_BACK'; // the center shows a lower epoch than before (restored from a backup?)

export class ConfigCenterError extends Error {
  readonly code: ConfigCenterErrorCode;
  readonly remedy: string;

  constructor(code: ConfigCenterErrorCode, message: string, remedy: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ConfigCenterError';
    this.code = code;
    this.remedy = remedy;
  }
}

export function toError(e: unknown): Error {
  return e instanceof Error ? e : new Error(String(e));
}

/** The text of an error even where Node leaves `message` empty (an AggregateError of refused connections). */
export function messageOf(e: unknown): string {
  const error = toError(e);
  if (error.message !== '') return error.message;
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error.name;
}

/**
 * The session's protocol version. It rises with every change that a peer must know about; peers one version apart
 * understand each other, so that controllers and agents can be upgraded one after another in any order.
 */
export const PROTOCOL_VERSION = 1;

/** Two versions apart means that an upgrade skipped a release: refused with a clear status instead of half understood. */
export const acceptsProtocol = (theirs: number, mine: number = PROTOCOL_VERSION): boolean =>
  Number.isInteger(theirs) && theirs >= 1 && Math.abs(theirs - mine) <= 1;

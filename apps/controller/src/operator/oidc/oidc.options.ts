import type { Role } from '../../persistence/tokens.port.js';

/** When the issuer's keys are read. */
export type KeyBookTimes = Readonly<{
  freshMs: number; // keys are read again after
  againMs: number; // not oftener, whatever key ids strangers send
  answerMs: number; // deadline of one question to the issuer
}>;

export const KEY_BOOK_TIMES: KeyBookTimes = { freshMs: 600_000, againMs: 10_000, answerMs: 5_000 };

/** Sign-in by JWTs of one issuer. */
export type OidcOptions = Readonly<{
  issuer: string; // compared letter by letter with `iss`
  audience: string; // must be in `aud`
  jwksFile: string | null; // null: by discovery at the issuer
  nameClaim: string; // who it is, for the audit
  roleClaim: string; // a claim, or a path with dots; a text or a list of texts
  roles: Readonly<Record<Role, readonly string[]>>; // values of that claim that give the role
  clockSkewMs: number; // how far the issuer's clock may be off
  keyTimes?: KeyBookTimes; // default: KEY_BOOK_TIMES
}>;

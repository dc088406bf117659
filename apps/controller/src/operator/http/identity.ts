import type { Request } from 'express';

declare module 'express-serve-static-core' {
  interface Request {
    /** Who it comes from, as the bearer guard found; `token:<name>`, `oidc:<name>` or `file-token`. */
    operator?: string;
    /** Asks anew whether the caller would be let in as at the start; for an answer that takes as long as its reader likes. */
    stillAllowed?: () => Promise<boolean>;
    requestId?: string;
  }
}

/** How the caller was authenticated; two calls of one identity are one person. Without a token: this machine itself. */
export const identityOf = (req: Request): string => req.operator ?? 'loopback';

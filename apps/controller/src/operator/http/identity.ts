declare module 'express-serve-static-core' {
  interface Request {
    /** Who it comes from, as the bearer guard found; `token:<name>`, `oidc:<name>` or `file-token`. */
    operator?: string;
    requestId?: string;
  }
}

export {};

/** Who a request comes from, as the bearer guard found; `token:<name>` or `file-token`. */
declare module 'express-serve-static-core' {
  interface Request {
    operator?: string;
  }
}

export {};

export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** A bearer token as it is kept: its SHA-256, never itself. */
export type TokenRow = Readonly<{
  id: string;
  name: string;
  role: Role;
  /** SHA-256 of the token, hex. Tokens are 256 random bits, so a slow hash would protect nothing more. */
  hash: string;
  createdAt: string;
  createdBy: string;
  expiresAt: string;
  revokedAt: string | null;
}>;

import { errors, jwtVerify, type JWTPayload } from 'jose';
import { ROLES, type Role } from '../../persistence/tokens.port.js';
import type { KeyBook, KeySet } from './key-book.js';
import type { OidcOptions } from './oidc.options.js';

export type OidcResult = Readonly<
  | { kind: 'known'; name: string; role: Role }
  | { kind: 'no-role'; name: string } // known who it is; no value of the role claim is mapped
  | { kind: 'invalid'; why: string } // never holds a part of the token
  | { kind: 'unavailable' } // no key of the issuer was ever read
>;

/** Signatures by a key pair only: `none` and shared secrets have no place in a token that others can make. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/** Three parts of base64url: a token of our own store has none of the dots. */
export const looksLikeJwt = (token: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);

/** Who a JWT says that its bearer is, and the highest role that the claim gives. */
export class OidcVerifier {
  constructor(
    private readonly options: OidcOptions,
    private readonly keys: KeyBook,
  ) {}

  async verify(token: string, nowMs: number): Promise<OidcResult> {
    const keys = await this.keys.current();
    if (keys === null) return { kind: 'unavailable' };
    try {
      return this.judge(await this.payload(token, keys, nowMs));
    } catch (error) {
      return { kind: 'invalid', why: whyOf(error) };
    }
  }

  private async payload(token: string, keys: KeySet, nowMs: number): Promise<JWTPayload> {
    try {
      return await this.check(token, keys, nowMs);
    } catch (error) {
      const renewed = error instanceof errors.JWKSNoMatchingKey ? await this.keys.renewed() : null;
      if (renewed === null || renewed === keys) throw error;
      return this.check(token, renewed, nowMs);
    }
  }

  private async check(token: string, keys: KeySet, nowMs: number): Promise<JWTPayload> {
    const { issuer, audience, clockSkewMs } = this.options;
    const { payload } = await jwtVerify(token, keys, {
      ...{ issuer, audience, algorithms: ALGORITHMS, requiredClaims: ['exp', 'sub'] },
      ...{ clockTolerance: clockSkewMs / 1_000, currentDate: new Date(nowMs) },
    });
    return payload;
  }

  private judge(payload: JWTPayload): OidcResult {
    const { nameClaim, roleClaim, roles } = this.options;
    const named: unknown = payload[nameClaim];
    const name = typeof named === 'string' && named !== '' ? named : (payload.sub ?? '');
    const values = textsAt(payload, roleClaim in payload ? [roleClaim] : roleClaim.split('.'));
    const role = ROLES.findLast((r) => roles[r].some((value) => values.includes(value)));
    return role === undefined ? { kind: 'no-role', name } : { kind: 'known', name, role };
  }
}

function textsAt(value: unknown, path: readonly string[]): readonly string[] {
  const [head, ...rest] = path;
  if (head !== undefined) {
    const inner: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, head) : undefined;
    return textsAt(inner, rest);
  }
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

/** jose's messages name claims and never their values. */
const whyOf = (error: unknown): string => {
  if (error instanceof errors.JOSEError) return error.message;
  return 'it could not be read';
};

import { Inject, Injectable, Logger } from '@nestjs/common';
import { OPERATOR_OPTIONS, type OperatorOptions } from '../operator.options.js';
import { KeyBook, type KeyState } from './key-book.js';
import { looksLikeJwt, OidcVerifier, type OidcResult } from './oidc-verifier.js';

/** Sign-in by OIDC, where it is configured. */
@Injectable()
export class SignIn {
  private readonly keys: KeyBook | null;
  private readonly verifier: OidcVerifier | null;

  constructor(@Inject(OPERATOR_OPTIONS) { oidc }: OperatorOptions) {
    this.keys = oidc ? new KeyBook(oidc, new Logger('oidc')) : null;
    this.verifier = oidc && this.keys ? new OidcVerifier(oidc, this.keys) : null;
  }

  get offered(): boolean {
    return this.verifier !== null;
  }

  /** Null: no sign-in is configured, or this is no JWT. */
  async person(token: string, nowMs: number): Promise<OidcResult | null> {
    return this.verifier !== null && looksLikeJwt(token) ? this.verifier.verify(token, nowMs) : null;
  }

  /** Null: no sign-in is configured. */
  keyState(): KeyState | null {
    return this.keys?.state() ?? null;
  }
}

import { createHash } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { AUTHORITY_STORE } from '../../persistence/authority-store.port.js';
import type { AuthorityStore } from '../../persistence/authority-store.port.js';
import type { TokenRow } from '../../persistence/tokens.port.js';

/** A revoked token works on for at most this long on the other controllers. */
const FRESH_MS = 2_000;

export const tokenHash = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Tokens of the store by hash. With the store down the last reading stands: people must get in when things are worst. */
@Injectable()
export class TokenBook {
  private readonly log = new Logger('tokens');
  private rows: ReadonlyMap<string, TokenRow> = new Map();
  private readAtMs = -Infinity;
  private reading: Promise<void> | null = null;

  constructor(@Inject(AUTHORITY_STORE) private readonly store: AuthorityStore) {}

  /** The token that is valid now, or null. */
  async valid(token: string, nowMs: number): Promise<TokenRow | null> {
    if (performance.now() - this.readAtMs > FRESH_MS) await this.refresh();
    const row = this.rows.get(tokenHash(token));
    if (row === undefined || row.revokedAt !== null || Date.parse(row.expiresAt) <= nowMs) return null;
    return row;
  }

  /** After a change by this controller. */
  forget(): void {
    this.readAtMs = -Infinity;
  }

  private refresh(): Promise<void> {
    this.reading ??= this.read().finally(() => {
      this.reading = null;
    });
    return this.reading;
  }

  private async read(): Promise<void> {
    try {
      this.rows = new Map((await this.store.tokens()).map((row) => [row.hash, row]));
    } catch (error) {
      this.log.warn(`tokens not readable, the last reading stands: ${String(error)}`);
    }
    this.readAtMs = performance.now();
  }
}

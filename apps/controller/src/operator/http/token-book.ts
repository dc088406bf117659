import { createHash } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { AUTHORITY_STORE } from '../../persistence/authority-store.port.js';
import type { AuthorityStore } from '../../persistence/authority-store.port.js';
import type { TokenRow } from '../../persistence/tokens.port.js';

/** A revoked token works on for at most this long on the other controllers. */
const FRESH_MS = 2_000;

export const tokenHash = (token: string): string => createHash('sha256').update(token).digest('hex');

/** `version`: how many changes of this controller it was begun after. */
type Reading = Readonly<{ version: number; done: Promise<void> }>;

/** Tokens of the store by hash. With the store down the last reading stands: people must get in when things are worst. */
@Injectable()
export class TokenBook {
  private readonly log = new Logger('tokens');
  private rows: ReadonlyMap<string, TokenRow> = new Map();
  private rowsVersion = 0; // of the reading that gave `rows`
  private version = 0;
  private readAtMs = -Infinity;
  private reading: Reading | null = null;

  constructor(@Inject(AUTHORITY_STORE) private readonly store: AuthorityStore) {}

  /** The token that is valid now, or null. */
  async valid(token: string, nowMs: number): Promise<TokenRow | null> {
    if (performance.now() - this.readAtMs > FRESH_MS) await this.refresh();
    const row = this.rows.get(tokenHash(token));
    if (row === undefined || row.revokedAt !== null || Date.parse(row.expiresAt) <= nowMs) return null;
    return row;
  }

  /** After a change by this controller. A reading that began before it may not know of it, and counts for nobody. */
  forget(): void {
    this.version += 1;
    this.readAtMs = -Infinity;
  }

  private refresh(): Promise<void> {
    if (this.reading?.version !== this.version) {
      const { version } = this;
      const done = this.read(version).finally(() => {
        if (this.reading?.done === done) this.reading = null;
      });
      this.reading = { version, done };
    }
    return this.reading.done;
  }

  private async read(version: number): Promise<void> {
    try {
      const rows = await this.store.tokens();
      if (version < this.rowsVersion) return; // a newer reading was faster
      this.rows = new Map(rows.map((row) => [row.hash, row]));
      this.rowsVersion = version;
    } catch (error) {
      this.log.warn(`tokens not readable, the last reading stands: ${String(error)}`);
    }
    if (version === this.version) this.readAtMs = performance.now();
  }
}

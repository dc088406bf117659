import { readFile } from 'node:fs/promises';
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { z } from 'zod';
import { KEY_BOOK_TIMES, type KeyBookTimes, type OidcOptions } from './oidc.options.js';

/** `cached`: the issuer's keys could not be read lately, the last ones stand; `none`: never read. */
export type KeyState = 'fresh' | 'cached' | 'none';
export type KeySet = ReturnType<typeof createLocalJWKSet>;

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });
const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

type Log = Readonly<{ log(message: string): void; warn(message: string): void }>;

/**
 * The issuer's public keys. Read when first needed, again after a while or when a token names a key that is not known.
 * With the issuer down the last ones stand: people must get in when things are worst.
 */
export class KeyBook {
  private readonly times: KeyBookTimes;
  private keys: KeySet | null = null;
  private readAtMs = -Infinity;
  private triedAtMs = -Infinity;
  private reading: Promise<void> | null = null;
  private trouble: string | null = null;

  constructor(
    private readonly options: Pick<OidcOptions, 'issuer' | 'jwksFile' | 'keyTimes'>,
    private readonly log: Log,
  ) {
    this.times = options.keyTimes ?? KEY_BOOK_TIMES;
  }

  state(): KeyState {
    if (this.keys === null) return 'none';
    return this.trouble === null ? 'fresh' : 'cached';
  }

  /** Null: there are none yet. */
  async current(): Promise<KeySet | null> {
    if (performance.now() - this.readAtMs > this.times.freshMs) await this.refresh();
    return this.keys;
  }

  /** After a token whose key is not known: it may be newer than the keys. */
  async renewed(): Promise<KeySet | null> {
    await this.refresh();
    return this.keys;
  }

  private refresh(): Promise<void> {
    if (performance.now() - this.triedAtMs < this.times.againMs) return this.reading ?? Promise.resolve();
    this.triedAtMs = performance.now();
    this.reading ??= this.read().finally(() => {
      this.reading = null;
    });
    return this.reading;
  }

  private async read(): Promise<void> {
    const { issuer, jwksFile } = this.options;
    try {
      const text: unknown = jwksFile === null ? await this.fromIssuer() : JSON.parse(await readFile(jwksFile, 'utf8'));
      this.keys = createLocalJWKSet(keySet.parse(text) as JSONWebKeySet);
      this.readAtMs = performance.now();
      if (this.trouble !== null) this.log.log(`the keys of ${issuer} are readable again`);
      this.trouble = null;
    } catch (error) {
      const trouble = error instanceof Error ? error.message : String(error);
      if (trouble !== this.trouble) {
        const stands = this.keys === null ? 'nobody can sign in by it' : 'the last ones stand';
        this.log.warn(`the keys of ${issuer} could not be read, ${stands}: ${trouble}`);
      }
      this.trouble = trouble;
    }
  }

  private async fromIssuer(): Promise<unknown> {
    const { issuer } = this.options;
    const found = discovery.parse(await this.ask(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`));
    if (found.issuer !== issuer) throw new Error(`discovery names another issuer: ${found.issuer}`);
    return this.ask(found.jwks_uri);
  }

  private async ask(url: string): Promise<unknown> {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(this.times.answerMs) });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    return response.json();
  }
}

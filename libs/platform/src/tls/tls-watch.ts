import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Logger } from '../logger.js';

/** PEM files. `caFile`: whom to trust on the other side; absent where nobody is asked for a certificate. */
export type TlsFiles = Readonly<{ certFile: string; keyFile: string; caFile?: string }>;

export type TlsMaterial = Readonly<{ cert: Buffer; key: Buffer; ca: Buffer | null }>;

/** Three small files: often enough that nobody waits after a rotation. */
const CHECK_EVERY_MS = 2_000;

/** Throws, naming the files and never their content, when one cannot be read or the key is not the certificate's. */
export function readTls({ certFile, keyFile, caFile }: TlsFiles): TlsMaterial {
  const ca = caFile === undefined ? null : readFileSync(caFile);
  const material = { cert: readFileSync(certFile), key: readFileSync(keyFile), ca };
  try {
    createSecureContext({ cert: material.cert, key: material.key, ...(ca === null ? {} : { ca }) });
  } catch (cause) {
    const all = [certFile, keyFile, ...(caFile === undefined ? [] : [caFile])].join(', ');
    throw new Error(`${all}: no certificate with its key; make them anew`, { cause });
  }
  return material;
}

/**
 * Certificates that are rotated while the process runs: whatever the files hold is used for the next handshake. Read by
 * content, not by notification, because mounted secrets are swapped by links. Half-written or wrong files change nothing;
 * the old certificate stays in use and the log says why, once.
 */
export class TlsWatch {
  private material: TlsMaterial;
  private readonly listeners = new Set<(material: TlsMaterial) => void>();
  private readonly timer: NodeJS.Timeout;
  private trouble: string | null = null;

  /** Throws as {@link readTls} does. */
  constructor(
    private readonly files: TlsFiles,
    private readonly log: Pick<Logger, 'info' | 'warn'>,
    everyMs = CHECK_EVERY_MS,
  ) {
    this.material = readTls(files);
    this.timer = setInterval(() => this.check(), everyMs);
    this.timer.unref();
  }

  current(): TlsMaterial {
    return this.material;
  }

  /** Called with each new generation. Returns an unsubscribe. */
  onChange(listener: (material: TlsMaterial) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private check(): void {
    const { certFile } = this.files;
    let next: TlsMaterial;
    try {
      next = readTls(this.files);
    } catch (error) {
      const trouble = error instanceof Error ? error.message : String(error);
      if (trouble !== this.trouble)
        this.log.warn({ certFile, error }, 'new TLS files are not usable: the old ones stay');
      this.trouble = trouble;
      return;
    }
    this.trouble = null;
    if (same(next, this.material)) return;
    this.material = next;
    this.log.info({ certFile }, 'TLS files were rotated: new connections use them');
    for (const listener of [...this.listeners]) listener(next);
  }
}

const same = (a: TlsMaterial, b: TlsMaterial): boolean =>
  a.cert.equals(b.cert) && a.key.equals(b.key) && (a.ca === null ? b.ca === null : b.ca !== null && a.ca.equals(b.ca));

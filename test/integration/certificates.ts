import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

export type CertificateFiles = Readonly<{ caFile: string; certFile: string; keyFile: string }>;

/** A certificate authority for one test; what it issues is valid for 127.0.0.1 and carries a common name. */
export class TestAuthority {
  private serial = 1;

  private constructor(
    private readonly dir: string,
    private readonly keys: webcrypto.CryptoKeyPair,
    private readonly root: x509.X509Certificate,
  ) {}

  static async create(dir: string, name = 'pointsman test authority'): Promise<TestAuthority> {
    mkdirSync(dir, { recursive: true });
    const keys = await generate();
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: '01',
      name: `CN=${name}`,
      ...validity(),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 1, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    });
    writeFileSync(join(dir, 'ca.pem'), root.toString('pem'));
    return new TestAuthority(dir, keys, root);
  }

  async issue(commonName: string): Promise<CertificateFiles> {
    const keys = await generate();
    this.serial += 1;
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: this.serial.toString(16).padStart(2, '0'),
      subject: `CN=${commonName}`,
      issuer: this.root.subject,
      ...validity(),
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      extensions: [
        new x509.SubjectAlternativeNameExtension([
          { type: 'ip', value: '127.0.0.1' },
          { type: 'dns', value: 'localhost' },
        ]),
      ],
    });
    const file = (suffix: string): string => join(this.dir, `${commonName}-${this.serial}.${suffix}`);
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
    const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
    writeFileSync(file('pem'), certificate.toString('pem'));
    writeFileSync(file('key'), key, { mode: 0o600 });
    return { caFile: join(this.dir, 'ca.pem'), certFile: file('pem'), keyFile: file('key') };
  }
}

const generate = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

const validity = (): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(Date.now() - DAY_MS),
  notAfter: new Date(Date.now() + DAY_MS),
});

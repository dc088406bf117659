import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

/** What was done, by whom and why, as JSON. */
export type Evidence = Readonly<Record<string, unknown>>;

/** The file that break-glass leaves. `key`: SHA-256 of the public key (SPKI), so that the right one is looked for. */
export type SignedEvidence = Readonly<{
  evidence: Evidence;
  signature: Readonly<{ algorithm: 'Ed25519'; key: string; value: string }>; // base64
}>;

export type Verdict = Readonly<{ ok: true; digest: string; evidence: Evidence } | { ok: false; reason: string }>;

/** A key that is no Ed25519 key in PEM. */
export class KeyFormatError extends Error {
  override readonly name = 'KeyFormatError';
}

/** Over the canonical text, so that a file that was only laid out anew still verifies. */
export const digestOf = (evidence: Evidence): string => hash(canonical(evidence));

export function signEvidence(evidence: Evidence, privatePem: string): SignedEvidence {
  const key = ed25519(privatePem, createPrivateKey);
  const value = sign(null, Buffer.from(canonical(evidence)), key).toString('base64');
  return { evidence, signature: { algorithm: 'Ed25519', key: keyId(createPublicKey(key)), value } };
}

/** @param pem the public key, or the private one it belongs to. @throws {KeyFormatError} */
export function verifyEvidence(file: unknown, pem: string): Verdict {
  if (!isSigned(file)) return { ok: false, reason: 'this is no evidence file: evidence and signature are missing' };
  const { evidence, signature } = file;
  const key = ed25519(pem, createPublicKey);
  if (signature.key !== keyId(key))
    return { ok: false, reason: `it was signed by the key ${signature.key}, not by this one, which is ${keyId(key)}` };
  if (!verify(null, Buffer.from(canonical(evidence)), key, Buffer.from(signature.value, 'base64')))
    return { ok: false, reason: 'the signature does not fit: the evidence was changed after it was signed' };
  return { ok: true, digest: digestOf(evidence), evidence };
}

function ed25519(pem: string, read: (pem: string) => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = read(pem);
  } catch (cause) {
    throw new KeyFormatError('not a key in PEM', { cause });
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new KeyFormatError(`an Ed25519 key is needed, this one is ${key.asymmetricKeyType ?? 'another kind'}`);
}

const keyId = (key: KeyObject): string => hash(key.export({ type: 'spki', format: 'der' }));

const hash = (bytes: string | Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** JSON without blanks, keys in order at every depth. */
const canonical = (value: unknown): string => JSON.stringify(sorted(value));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSigned = (file: unknown): file is SignedEvidence =>
  isObject(file) &&
  isObject(file['evidence']) &&
  isObject(file['signature']) &&
  typeof file['signature']['key'] === 'string' &&
  typeof file['signature']['value'] === 'string';

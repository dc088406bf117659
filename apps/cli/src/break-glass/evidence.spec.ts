import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { digestOf, KeyFormatError, signEvidence, verifyEvidence } from './evidence.js';

const pem = (type: 'ed25519' | 'x25519' = 'ed25519') =>
  // The two kinds have overloads of their own, which a union does not fit.
  (type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519')).privateKey
    .export({ type: 'pkcs8', format: 'pem' })
    .toString();
const publicPem = (type: 'spki') => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    secret: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    open: publicKey.export({ type, format: 'pem' }).toString(),
  };
};

const evidence = { group: 'orders', by: 'kim', done: [{ key: 'orders/cluster/a', reached: false }], epoch: 1_007 };
const read = (value: unknown): unknown => JSON.parse(JSON.stringify(value, null, 4));

describe('signed evidence', () => {
  it('verifies with the public key, and with the private one that it was signed by', () => {
    const { secret, open } = publicPem('spki');
    const file = read(signEvidence(evidence, secret));
    const good = { ok: true, digest: digestOf(evidence), evidence };
    expect(verifyEvidence(file, open)).toEqual(good);
    expect(verifyEvidence(file, secret)).toEqual(good);
  });

  it('does not mind a file that was laid out anew, in another order of keys', () => {
    const key = pem();
    const { signature } = signEvidence(evidence, key);
    const turned = Object.fromEntries(Object.entries(evidence).toReversed());
    expect(verifyEvidence(read({ signature, evidence: turned }), key)).toMatchObject({ ok: true });
  });

  it.each([
    ['another person', { by: 'max' }],
    ['another epoch', { epoch: 1_008 }],
    ['a fence that was not', { done: [{ key: 'orders/cluster/a', reached: true }] }],
    ['a member more', { extra: 1 }],
  ])('finds %s', (_name, change) => {
    const key = pem();
    const { signature } = signEvidence(evidence, key);
    const verdict = verifyEvidence(read({ evidence: { ...evidence, ...change }, signature }), key);
    expect(verdict).toMatchObject({ ok: false, reason: expect.stringContaining('changed after it was signed') });
  });

  it('tells a wrong key from a changed file', () => {
    const file = read(signEvidence(evidence, pem()));
    expect(verifyEvidence(file, pem())).toMatchObject({
      ok: false,
      reason: expect.stringContaining('not by this one'),
    });
  });

  it('refuses what is no evidence, and keys of other kinds', () => {
    expect(verifyEvidence({ any: 'thing' }, pem())).toMatchObject({ ok: false });
    expect(verifyEvidence(null, pem())).toMatchObject({ ok: false });
    expect(() => signEvidence(evidence, 'nonsense')).toThrow(KeyFormatError);
    expect(() => signEvidence(evidence, pem('x25519'))).toThrow(/Ed25519/);
  });
});

import { createServer } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { ScriptedBroker } from '#testing';
import { AddressBook } from './address-book.js';
import { BrokerLink } from './broker-link.js';
import { PlatformaticEyes } from './cluster-eyes.js';
import { PLAINTEXT, type ClusterSecurity } from './connection-config.js';
import { selfSigned } from './self-signed.spec-helper.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((x) => x.close()));
});

async function broker(tls: { key: string; cert: string } | null = null): Promise<ScriptedBroker> {
  const started = await ScriptedBroker.start(tls);
  open.push(started);
  return started;
}

function eyes(address: string, security: ClusterSecurity = PLAINTEXT): PlatformaticEyes {
  const made = new PlatformaticEyes({ clientId: 'test', bootstrapServers: [address], security });
  open.push(made);
  return made;
}

const tls = (ca: string | null): ClusterSecurity => ({
  protocol: 'SSL',
  sasl: null,
  tls: { ca, cert: null, key: null, rejectUnauthorized: true, servername: 'localhost' },
});

/** One call whose answer nobody keeps. */
async function weakly(link: BrokerLink): Promise<WeakRef<object>> {
  return new WeakRef(await link.call('Any', () => Promise.resolve({ rows: Array.from({ length: 100 }) }), 500));
}

/** In a later turn: a WeakRef holds its object until the end of the one that made it. */
async function collectGarbage(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

describe('one question to one broker', () => {
  it('is answered over one connection that stays', async () => {
    const b = await broker();
    const e = eyes(b.address);
    expect(await e.apiVersions(b.address, 500)).toMatchObject({ ok: true });
    expect(await e.apiVersions(b.address, 500)).toMatchObject({ ok: true });
    expect(b.connections).toBe(1);
    expect(e.requestCounts.get('ApiVersions')).toBe(2);
  });

  it('is forgotten once it is answered: the connection keeps nothing of it', async () => {
    const b = await broker();
    const link = new BrokerLink(b.address, { clientId: 'test', security: PLAINTEXT, addresses: new AddressBook() });
    open.push(link);
    const answers: WeakRef<object>[] = [];
    for (let i = 0; i < 100; i += 1) answers.push(await weakly(link));
    await collectGarbage();
    expect(answers.filter((a) => a.deref() !== undefined).length).toBeLessThan(10);
  });

  it('ends with its deadline when the process behind the socket is frozen, and starts anew after it', async () => {
    const b = await broker();
    const e = eyes(b.address);
    await e.apiVersions(b.address, 500);
    b.manner = 'silent';
    const both = await Promise.all([e.apiVersions(b.address, 120), e.apiVersions(b.address, 150)]);
    expect(both.map((a) => (a.ok ? null : a.kind))).toEqual(['deadline', 'deadline']);
    b.answerLate(); // into a connection that was thrown away: an answer to no question must harm nobody
    b.manner = 'answer';
    expect(await e.apiVersions(b.address, 500)).toMatchObject({ ok: true });
    expect(b.connections).toBe(2);
  });

  it('tells a closed connection from a refused one', async () => {
    const b = await broker();
    const e = eyes(b.address);
    b.manner = 'hang up';
    expect(await e.apiVersions(b.address, 500)).toMatchObject({ ok: false, kind: 'reset' });
    await b.close();
    expect(await e.apiVersions(b.address, 500)).toMatchObject({ ok: false, kind: 'refused' });
  });

  it('says how the broker answers now, not that an old connection died with it', async () => {
    const b = await broker();
    const e = eyes(b.address);
    await e.apiVersions(b.address, 500);
    b.manner = 'hang up once';
    expect(await e.apiVersions(b.address, 500)).toMatchObject({ ok: true });
    expect(b.connections).toBe(2);
    b.manner = 'hang up';
    const closing = e.apiVersions(b.address, 500);
    await b.close();
    expect(await closing).toMatchObject({ ok: false, kind: 'refused' });
  });

  it('is not asked after the end', async () => {
    const b = await broker();
    const link = new BrokerLink(b.address, { clientId: 'test', security: PLAINTEXT, addresses: new AddressBook() });
    link.close();
    await expect(link.call('ApiVersions', () => Promise.resolve(1), 100)).rejects.toThrow('closed');
  });
});

describe('TLS', () => {
  it('is spoken with a known authority and refused as a configuration error without', async () => {
    const own = await selfSigned('localhost');
    const b = await broker(own);
    expect(await eyes(b.address, tls(own.cert)).apiVersions(b.address, 1_000)).toMatchObject({ ok: true });
    expect(await eyes(b.address, tls(null)).apiVersions(b.address, 1_000)).toMatchObject({ ok: false, kind: 'tls' });
  });

  it('towards a broker without TLS is a configuration error, until a handshake once worked there', async () => {
    const own = await selfSigned('localhost');
    const b = await broker(own);
    const e = eyes(b.address, tls(own.cert));
    const { port } = b;
    expect(await e.apiVersions(b.address, 1_000)).toMatchObject({ ok: true });
    await b.close();
    const dying = createServer((socket) => socket.resetAndDestroy());
    await new Promise<void>((done) => dying.listen(port, '127.0.0.1', done));
    open.push(dying);
    expect(await e.apiVersions(b.address, 1_000)).toMatchObject({ ok: false, kind: 'reset' });
    expect(await eyes(b.address, tls(own.cert)).apiVersions(b.address, 1_000)).toMatchObject({
      ok: false,
      kind: 'tls',
    });
  });
});

describe('AddressBook', () => {
  it('goes on with the last good address when DNS fails, and says dns only for a name never known', async () => {
    let works = true;
    const book = new AddressBook(() =>
      works ? Promise.resolve('127.0.0.1') : Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })),
    );
    expect(await book.resolve('kafka.example', 100)).toBe('127.0.0.1');
    works = false;
    expect(await book.resolve('kafka.example', 100)).toBe('127.0.0.1');
    await expect(book.resolve('other.example', 100)).rejects.toMatchObject({ code: 'EAI_AGAIN' });
    expect(await book.resolve('10.0.0.1', 100)).toBe('10.0.0.1');
  });

  it('does not wait for a resolver that hangs', async () => {
    const book = new AddressBook(() => new Promise(() => undefined));
    await expect(book.resolve('kafka.example', 20)).rejects.toMatchObject({ code: 'EAI_AGAIN' });
  });
});

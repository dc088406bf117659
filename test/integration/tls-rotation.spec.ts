import 'reflect-metadata';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { Module } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLogger } from '#platform';
import { openHttp } from '../../apps/controller/src/open-http.js';
import { type CertificateFiles, TestAuthority } from './certificates.js';
import { TestAgent, TestController } from './session-rig.js';

/** Two generations of certificates, each of its own authority, in files that change under running programs. */
let dir: string;
let first: TestAuthority;
let second: TestAuthority;
const opened: (() => Promise<void> | void)[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pointsman-rotation-'));
  first = await TestAuthority.create(join(dir, 'first'), 'first generation');
  second = await TestAuthority.create(join(dir, 'second'), 'second generation');
});
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
  rmSync(dir, { recursive: true, force: true });
});

const until = (what: () => void | Promise<void>): Promise<void> => vi.waitFor(what, { timeout: 20_000, interval: 50 });

/** Where a program looks, with the content of `from` at first. */
function mounted(name: string, from: CertificateFiles): CertificateFiles {
  const at = (file: string): string => join(dir, `${name}-${file}`);
  const files = { caFile: at('ca.pem'), certFile: at('tls.pem'), keyFile: at('tls.key') };
  copyFileSync(from.caFile, files.caFile);
  present(files, from);
  return files;
}

function present(files: CertificateFiles, from: CertificateFiles): void {
  for (const key of ['keyFile', 'certFile'] as const) copyFileSync(from[key], files[key]);
}

function trust(files: CertificateFiles, ...authorities: readonly CertificateFiles[]): void {
  writeFileSync(files.caFile, authorities.map((a) => readFileSync(a.caFile, 'utf8')).join('\n'));
}

async function agent(idc: string, port: number, tls: CertificateFiles): Promise<TestAgent> {
  const started = await TestAgent.start(idc, [port], { tls });
  opened.push(async () => {
    await started.stop();
    started.forget();
  });
  return started;
}

describe('agents and controllers', () => {
  it('go from one authority to the next without a restart, and then the old generation is not let in', async () => {
    const old = { ctl: await first.issue('ctl-a'), a: await first.issue('agent-a'), c: await first.issue('agent-c') };
    const fresh = {
      ctl: await second.issue('ctl-a'),
      a: await second.issue('agent-a'),
      b: await second.issue('agent-b'),
    };
    const ctl = mounted('ctl', old.ctl);
    const ofA = mounted('agent-a', old.a);
    const ofB = mounted('agent-b', fresh.b);
    const ofC = mounted('agent-c', old.c);
    const controller = await TestController.start({ grpc: { listen: '', tls: ctl } });
    opened.push(() => controller.close());
    const a = await agent('a', controller.port, ofA);
    await until(() => expect(controller.vote('a', 'agent-a')).toBe('UP'));

    // Everybody trusts both first: an agent of the second generation comes in.
    for (const files of [ctl, ofA, ofB, ofC]) trust(files, old.ctl, fresh.ctl);
    await agent('b', controller.port, ofB);
    await until(() => expect(controller.vote('a', 'agent-b')).toBe('UP'));

    // Then everybody shows the second, and at last trusts nothing else. Agent a's session was never broken off for it.
    present(ctl, fresh.ctl);
    present(ofA, fresh.a);
    for (const files of [ctl, ofA, ofB]) trust(files, fresh.ctl);
    const lateB = await TestAgent.start('b', [controller.port], { tls: ofB });
    await until(() => expect(controller.vote('a', 'agent-b')).toBe('UP'));
    await lateB.stop();
    lateB.forget();
    await until(() => expect(controller.connected('agent-b')).toBe(true)); // the first one is back, by the same files
    expect(controller.connected('agent-a')).toBe(true);
    await until(async () => expect(await letsIn(controller.port, ofC)).toBe(false)); // the files are read again by now
    await agent('c', controller.port, ofC);
    await a.stop();
    const again = await agent('a', controller.port, ofA);
    await until(() => expect(controller.connected('agent-a')).toBe(true));
    expect(controller.connected('agent-c')).toBe(false);
    await again.stop();
  });

  it('keep the old certificate while the files do not fit together', async () => {
    const ctl = mounted('ctl', await first.issue('ctl-a'));
    const controller = await TestController.start({ grpc: { listen: '', tls: ctl } });
    opened.push(() => controller.close());
    copyFileSync((await first.issue('ctl-a')).keyFile, ctl.keyFile); // half of a rotation
    rmSync(ctl.caFile);
    await agent('a', controller.port, await first.issue('agent-a'));
    await until(() => expect(controller.vote('a', 'agent-a')).toBe('UP'));
  });
});

@Module({})
class Empty {}

describe('HTTP', () => {
  it('shows the new certificate on new connections, and keeps the old one while the files are wrong', async () => {
    const old = await first.issue('ctl-a');
    const files = mounted('http', old);
    const app = await openHttp({ module: Empty }, { tls: files }, createLogger('test', 'silent'));
    opened.push(() => app.close());
    await app.listen(0, '127.0.0.1');
    const port = Number(new URL(await app.getUrl()).port);
    const serials = async (): Promise<string> => (await certificateOf(port)).serial;
    const before = await serials();

    const fresh = await first.issue('ctl-a');
    copyFileSync(fresh.keyFile, files.keyFile); // the key came first; its certificate is not there yet
    expect(await serials()).toBe(before);
    copyFileSync(fresh.certFile, files.certFile);
    await until(async () => expect(await serials()).not.toBe(before));
    expect((await certificateOf(port, readFileSync(old.caFile))).status).toBe(404);
  });
});

/** Whether the server speaks to one who shows this certificate: its first frame, or the end of the connection. */
function letsIn(port: number, { certFile, keyFile }: CertificateFiles): Promise<boolean> {
  return new Promise((resolve) => {
    const shown = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
    const socket = connect({ port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false, ...shown });
    const end = (spoke: boolean) => (): void => {
      resolve(spoke);
      socket.destroy();
    };
    socket.once('data', end(true)).once('error', end(false)).once('close', end(false));
  });
}

/** One request on a connection of its own. */
function certificateOf(port: number, ca?: Buffer): Promise<Readonly<{ serial: string; status: number }>> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', agent: false, ...(ca ? { ca } : { rejectUnauthorized: false }) };
    const call = request({ ...options, path: '/', timeout: 5_000 }, (response) => {
      const serial = (response.socket as TLSSocket).getPeerCertificate().serialNumber;
      response.resume();
      response.once('end', () => resolve({ serial, status: response.statusCode ?? 0 }));
    });
    call.on('error', reject);
    call.end();
  });
}

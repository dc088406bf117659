import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EtcdConfigCenter, SqlConfigCenter } from '#config-center';
import { startLab, waitFor } from '#lab';
import type { Lab } from '#lab';
import { adoptionConformance } from '../../libs/config-center/src/adoption.conformance.js';
import { aPointer, configCenterConformance } from '../../libs/config-center/src/config-center.conformance.js';
import { BlackHoleLink } from './black-hole-link.js';

configCenterConformance('sql on PostgreSQL', async () => {
  const lab = await startLab({ clusters: {}, connect: false, postgres: true });
  const url = await lab.postgresUrl('a');
  const starters = Array.from({ length: 3 }, () => new SqlConfigCenter({ url }));
  const schemaReady = (center: SqlConfigCenter) => center.prepare().then(() => true as const);
  await Promise.all(
    starters.map((center) => waitFor('the route to PostgreSQL', () => schemaReady(center), { timeoutMs: 10_000 })),
  );
  await Promise.all(starters.map((center) => center.close()));
  return {
    open: async () => new SqlConfigCenter({ url, pollIntervalMs: 50 }),
    stop: () => lab.kill({ postgres: true }),
    start: () => lab.start({ postgres: true }),
    dispose: () => lab.close(),
  };
});

configCenterConformance('etcd', async () => {
  const lab = await startLab({ clusters: {}, connect: false, postgres: false, etcd: true });
  const endpoint = await lab.etcdUrl('b');
  return {
    // The first endpoint is dead for ever: the second must serve.
    open: async () => new EtcdConfigCenter({ endpoints: ['http://127.0.0.1:9', endpoint], pollIntervalMs: 100 }),
    stop: () => lab.kill({ etcd: true }),
    start: () => lab.start({ etcd: true }),
    dispose: () => lab.close(),
  };
});

adoptionConformance('sql on PostgreSQL', async () => {
  const lab = await startLab({ clusters: {}, connect: false, postgres: true });
  const url = await lab.postgresUrl('a');
  const starter = new SqlConfigCenter({ url });
  await waitFor('the schema', () => starter.prepare().then(() => true as const), { timeoutMs: 10_000 });
  await starter.close();
  return { open: async () => new SqlConfigCenter({ url }), dispose: () => lab.close() };
});

adoptionConformance('etcd', async () => {
  const lab = await startLab({ clusters: {}, connect: false, postgres: false, etcd: true });
  const endpoint = await lab.etcdUrl('b');
  return { open: async () => new EtcdConfigCenter({ endpoints: [endpoint] }), dispose: () => lab.close() };
});

describe('etcd, what only it has', () => {
  let lab: Lab;
  let endpoint: string;
  const ask = async (path: string, body: unknown) => {
    const response = await fetch(`${endpoint}${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  };

  beforeAll(async () => {
    lab = await startLab({ clusters: {}, connect: false, postgres: false, etcd: true });
    endpoint = await lab.etcdUrl('b');
    await waitFor('etcd', () => ask('/v3/kv/range', { key: 'YQ==' }), { timeoutMs: 10_000 });
  });
  afterAll(() => lab?.close());

  const passOn = async (path: string, body: Buffer, to: ServerResponse) => {
    const answer = await fetch(`${endpoint}${path}`, { method: 'POST', body });
    to.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
  };

  it('goes on by polling where no stream gets through', async () => {
    // A gateway that answers everything but the watch, like a proxy that buffers whole bodies.
    const gateway = createServer((req, res) => {
      if (req.url === '/v3/watch') return void res.writeHead(404).end('no streams here');
      const chunks: Buffer[] = [];
      req
        .on('data', (c: Buffer) => chunks.push(c))
        .on('end', () => {
          passOn(req.url ?? '', Buffer.concat(chunks), res).catch(() => res.destroy());
        });
    });
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
    const through = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
    const writer = new EtcdConfigCenter({ endpoints: [endpoint] });
    const reader = new EtcdConfigCenter({ endpoints: [through], pollIntervalMs: 50 });
    await writer.claim('polled', 1);
    const epochs: number[] = [];
    const errors: Error[] = [];
    reader.watch(
      'polled',
      (p) => epochs.push(p.epoch),
      (e) => errors.push(e),
    );
    for (const epoch of [1, 2, 3]) {
      await writer.publish(aPointer('polled', epoch, 1), { expectedEpoch: epoch - 1, term: 1 });
      await vi.waitFor(() => expect(epochs.at(-1)).toBe(epoch), 5_000);
    }
    expect(epochs).toEqual([1, 2, 3]);
    expect(errors.map((e) => e.message)).toEqual(['etcd answered HTTP 404: no streams here']);
    await Promise.all([writer.close(), reader.close()]);
    gateway.closeAllConnections();
    gateway.close();
  });

  it('notices a server that is frozen, though its stream stays open', async () => {
    const center = new EtcdConfigCenter({ endpoints: [endpoint], deadlineMs: 500, checkIntervalMs: 200 });
    await center.claim('frozen', 1);
    await center.publish(aPointer('frozen', 1, 1), { expectedEpoch: 0, term: 1 });
    const epochs: number[] = [];
    const errors: Error[] = [];
    center.watch(
      'frozen',
      (p) => epochs.push(p.epoch),
      (e) => errors.push(e),
    );
    await vi.waitFor(() => expect(epochs).toEqual([1]), 5_000);
    await lab.freeze({ etcd: true });
    await vi.waitFor(() => expect(errors).toHaveLength(1), 5_000);
    expect(errors[0]).toMatchObject({ code: 'CENTER_UNREACHABLE' });
    await lab.thaw({ etcd: true });
    await waitFor('a publication', () => center.publish(aPointer('frozen', 2, 1), { expectedEpoch: 1, term: 1 }), {
      timeoutMs: 10_000,
    });
    await vi.waitFor(() => expect(epochs).toEqual([1, 2]), 5_000);
    await center.close();
  });

  it('moves its stream away from an endpoint that swallows everything, with its next call', async () => {
    const link = await BlackHoleLink.to(() => Number(new URL(endpoint).port));
    const endpoints = [`http://127.0.0.1:${link.port}`, endpoint];
    // No check beside the stream within this test: what arrives, a stream brings or the opening of one.
    const reader = new EtcdConfigCenter({ endpoints, deadlineMs: 500, checkIntervalMs: 600_000 });
    const writer = new EtcdConfigCenter({ endpoints: [endpoint] });
    const publish = async (epoch: number) => {
      const guard = { expectedEpoch: epoch - 1, term: 1 };
      expect(await writer.publish(aPointer('swallowed', epoch, 1), guard)).toEqual({ ok: true });
    };
    await writer.claim('swallowed', 1);
    await publish(1);
    const epochs: number[] = [];
    const arrives = (epoch: number) => vi.waitFor(() => expect(epochs.at(-1)).toBe(epoch), 10_000);
    reader.watch('swallowed', (p) => epochs.push(p.epoch));
    await arrives(1);
    await publish(2);
    await arrives(2);
    link.swallow(true);
    await publish(3);
    expect(await reader.read('swallowed')).toMatchObject({ epoch: 3 });
    await arrives(3);
    await publish(4);
    await arrives(4);
    expect(epochs).toEqual([1, 2, 3, 4]);
    await Promise.all([reader.close(), writer.close()]);
    await link.close();
  });

  it('logs in, again after a restart that forgot its tokens, and says so when it may not', async () => {
    await ask('/v3/auth/user/add', { name: 'root', password: 'secret' });
    await ask('/v3/auth/role/add', { name: 'root' });
    await ask('/v3/auth/user/grant', { user: 'root', role: 'root' });
    await ask('/v3/auth/enable', {});
    const center = new EtcdConfigCenter({ endpoints: [endpoint], username: 'root', password: 'secret' });
    expect(await center.claim('guarded', 1)).toBe(true);
    await lab.kill({ etcd: true });
    await lab.start({ etcd: true });
    const claimedTerm = await waitFor('etcd', () => center.claimedTerm('guarded'), { timeoutMs: 10_000 });
    expect(claimedTerm).toBe(1);
    const [stranger, forger] = [
      new EtcdConfigCenter({ endpoints: [endpoint] }),
      new EtcdConfigCenter({ endpoints: [endpoint], username: 'root', password: 'wrong' }),
    ];
    await expect(stranger.read('guarded')).rejects.toMatchObject({ code: 'CENTER_REFUSED' });
    await expect(forger.read('guarded')).rejects.toMatchObject({ code: 'CENTER_REFUSED' });
    await Promise.all([center, stranger, forger].map((c) => c.close()));
  });
});

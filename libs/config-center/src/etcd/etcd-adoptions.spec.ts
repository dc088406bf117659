import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClientReport } from '../adoption.js';
import { EtcdAdoptions } from './etcd-adoptions.js';
import { EtcdGateway } from './etcd-gateway.js';

/** As much of etcd's JSON gateway as leases and puts need. */
describe('reports to etcd', () => {
  const asked: string[] = [];
  let refusePuts = false; // as with a lease that somebody revoked
  let leaderless = false;
  let server: Server;
  let gateway: EtcdGateway;
  let adoptions: EtcdAdoptions;

  const report = (instance: string): ClientReport => ({
    ...{ version: 1, group: 'orders', instance, kind: 'producer', name: 'shop', cluster: 'b', epoch: 2 },
    ...{ mode: 'ACTIVE', state: 'following', warnings: [] },
  });

  beforeEach(async () => {
    asked.length = 0;
    refusePuts = false;
    leaderless = false;
    server = createServer((request, response) => {
      void text(request).then(() => {
        asked.push(request.url ?? '');
        const gone = refusePuts && request.url === '/v3/kv/put';
        response.writeHead(leaderless ? 503 : gone ? 404 : 200).end(JSON.stringify({ ID: '7', result: { TTL: '30' } }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    gateway = new EtcdGateway({ endpoints: [`http://127.0.0.1:${(server.address() as AddressInfo).port}`] });
    adoptions = new EtcdAdoptions(gateway);
  });
  afterEach(async () => {
    await gateway.close();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  it('renew their lease once for all clients of a process that report together', async () => {
    await Promise.all(['x', 'y', 'z'].map((instance) => adoptions.report(report(instance), 30_000)));
    expect(asked.toSorted()).toEqual(['/v3/kv/put', '/v3/kv/put', '/v3/kv/put', '/v3/lease/grant']);
  });

  it('wait for one failure all together where no lease is to be had, and not one after the other', async () => {
    leaderless = true;
    const reports = ['x', 'y', 'z'].map((instance) => adoptions.report(report(instance), 30_000));
    const ends = await Promise.allSettled(reports);
    expect(ends.map((end) => end.status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(asked).toEqual(['/v3/lease/grant']);
    leaderless = false;
    await adoptions.report(report('x'), 30_000);
    expect(asked).toEqual(['/v3/lease/grant', '/v3/lease/grant', '/v3/kv/put']);
  });

  it('ask for a lease again after a refused report', async () => {
    await adoptions.report(report('x'), 30_000);
    refusePuts = true;
    await expect(adoptions.report(report('x'), 30_000)).rejects.toThrow(/404/);
    refusePuts = false;
    await adoptions.report(report('x'), 30_000);
    expect(asked.filter((path) => path === '/v3/lease/grant')).toHaveLength(2);
  });
});

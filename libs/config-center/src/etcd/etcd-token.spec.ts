import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EtcdGateway } from './etcd-gateway.js';

/** etcd with signed tokens: after any change of a role it refuses those that were signed before. */
describe('a token of etcd', () => {
  let revision = 1; // of the roles
  let signedAt = 1; // a server that lags behind signs with an old one
  let logins = 0;
  let server: Server;
  let gateway: EtcdGateway;

  beforeEach(async () => {
    [revision, signedAt, logins] = [1, 1, 0];
    server = createServer((request, response) => {
      void text(request).then(() => {
        if (request.url === '/v3/auth/authenticate') {
          logins += 1;
          response.end(JSON.stringify({ token: `jwt-${signedAt}` }));
        } else if (request.headers.authorization === `jwt-${revision}`) response.end('{}');
        else response.writeHead(400).end('{"message":"etcdserver: revision of auth store is old","code":3}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoints = [`http://127.0.0.1:${(server.address() as AddressInfo).port}`];
    gateway = new EtcdGateway({ endpoints, username: 'shop', password: 'secret' });
    await gateway.delete('x');
    expect(logins).toBe(1);
  });
  afterEach(async () => {
    await gateway.close();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  it('is fetched again after a change of a role, and the call repeated', async () => {
    revision = signedAt = 2;
    await gateway.delete('x');
    await gateway.delete('x');
    expect(logins).toBe(2);
  });

  it('is fetched again once only, then the refusal is told', async () => {
    revision = 2;
    await expect(gateway.delete('x')).rejects.toMatchObject({ code: 'CENTER_REFUSED' });
    expect(logins).toBe(2);
  });
});

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ConnectClient, ConnectError } from './connect-client.js';

let server: Server | null = null;
let client: ConnectClient | null = null;

async function worker(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<ConnectClient> {
  server = createServer(handle);
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  client = new ConnectClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return client;
}

afterEach(async () => {
  await client?.close();
  server?.closeAllConnections();
  await new Promise((done) => (server ? server.close(done) : done(null)));
});

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

describe('ConnectClient', () => {
  it('reads status and offsets, leaving out what is no topic', async () => {
    const connect = await worker((request, response) =>
      request.url?.endsWith('/status')
        ? json(response, 200, { name: 'x', connector: { state: 'STOPPED', worker_id: 'w' }, tasks: [] })
        : json(response, 200, {
            offsets: [
              { partition: { cluster: 'a', partition: 1, topic: 'orders' }, offset: { offset: 41 } },
              { partition: { sourceClusterAlias: 'a', targetClusterAlias: 'b' }, offset: { offset: 0 } },
            ],
          }),
    );
    expect(await connect.status('x', 500)).toEqual({
      name: 'x',
      state: 'STOPPED',
      worker: 'w',
      trace: null,
      tasks: [],
    });
    expect(await connect.offsets('x', 500)).toEqual([{ cluster: 'a', topic: 'orders', partition: 1, offset: 41 }]);
  });

  it('says null for a connector that is not there', async () => {
    const message = 'No status found for connector x';
    const connect = await worker((_, response) => json(response, 404, { error_code: 404, message }));
    expect(await connect.status('x', 500)).toBeNull();
  });

  it.each([
    ['Jetty before the resources of Connect are there', '<html><title>Error 404 Not Found</title></html>'],
    ['an ingress without a backend', ''],
    ['Jersey, of a path that it does not serve', '{"error_code":404,"message":"HTTP 404 Not Found"}'],
    ['something else that speaks JSON', '{"message":"connector x is not here"}'],
  ])('does not take the 404 of %s for a word on the connector', async (_, body) => {
    const connect = await worker((__, response) => response.writeHead(404).end(body));
    for (const ask of ['status', 'config', 'offsets'] as const) {
      await expect(connect[ask]('x', 500)).rejects.toMatchObject({ name: 'ConnectError', kind: 'other', status: 404 });
    }
  });

  it('takes the state for unknown when a change got no answer: it may be carried out later', async () => {
    const connect = await worker(() => undefined);
    const error = await connect.change('x', 'resume', 100).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ kind: 'deadline', status: null, stateUnknown: true });
  });

  it('knows that a refused connection and a refused change changed nothing', async () => {
    const connect = await worker((_, response) => json(response, 400, { message: 'connector must be STOPPED' }));
    await expect(connect.alterOffsets('x', [], 500)).rejects.toMatchObject({ status: 400, stateUnknown: false });
    const nobody = new ConnectClient('http://127.0.0.1:1');
    await expect(nobody.change('x', 'stop', 500)).rejects.toMatchObject({ kind: 'refused', stateUnknown: false });
    await nobody.close();
  });
});

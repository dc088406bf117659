import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Client, type ClientDuplexStream, credentials, Metadata } from '@grpc/grpc-js';
import { median } from '../../stats/index.js';
import { Child } from '../child.js';
import type { FloorHandlers } from './server-process.js';

const CLIENTS = 100;
const ROUNDS = 40;
const WARM_UP = 10;
const PATH = '/bench.Floor/Session';
const asIs = (bytes: Buffer): Buffer => bytes;
const REPORT = Buffer.from('the connection was reset');

type Stream = ClientDuplexStream<Buffer, Buffer>;

/**
 * F: from a connection that is reset to the last of 100 clients that hears of it, with nothing in between but a report
 * on an open gRPC stream, one SQL commit and a push to each. ms, the median of 40.
 */
export async function measureFloor(postgresUrl: string): Promise<number> {
  const server = Child.start<FloorHandlers>(new URL('./server-process.js', import.meta.url));
  const port = await server.ask('start', { postgresUrl });
  const channels = Array.from(
    { length: CLIENTS + 1 },
    () => new Client(`127.0.0.1:${port}`, credentials.createInsecure(), OWN),
  );
  try {
    const streams: Stream[] = channels.map((c) => c.makeBidiStreamRequest(PATH, asIs, asIs, new Metadata()));
    for (const stream of streams) stream.on('error', () => undefined); // the server is killed in the end
    await Promise.all(streams.map((stream) => once(stream, 'data')));
    const [agent, ...clients] = streams;
    if (agent === undefined) return Number.NaN;
    const tookMs: number[] = [];
    for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
      const took = await oneSwitch(agent, clients);
      if (round >= WARM_UP) tookMs.push(took);
    }
    return median(tookMs);
  } finally {
    for (const channel of channels) channel.close();
    await server.close();
  }
}

const OWN = { 'grpc.use_local_subchannel_pool': 1 };

async function oneSwitch(agent: Stream, clients: readonly Stream[]): Promise<number> {
  const { mine, theirs, close } = await connectedPair();
  const told = Promise.all(clients.map((client) => once(client, 'data')));
  const heard = once(agent, 'data'); // the agent's own stream gets the push too
  mine.once('close', () => agent.write(REPORT));
  const startedMs = performance.now();
  theirs.resetAndDestroy();
  await told;
  const tookMs = performance.now() - startedMs;
  await heard;
  close();
  return tookMs;
}

async function connectedPair(): Promise<Readonly<{ mine: Socket; theirs: Socket; close: () => void }>> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const mine = connect((server.address() as AddressInfo).port, '127.0.0.1');
  mine.on('error', () => undefined); // the reset; its close is what counts
  const [[theirs]] = await Promise.all([accepted, once(mine, 'connect')]);
  return { mine, theirs, close: () => server.close() };
}

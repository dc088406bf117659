import net from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { waitFor } from '../wait.js';
import { Counters } from './counters.js';
import { Route } from './route.js';

const DEADLINE = { timeoutMs: 5_000, pollMs: 5 };

async function listen(server: net.Server, port = 0): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function unusedPort(): Promise<number> {
  const server = net.createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A client that remembers what it got, and how its connection ended. */
function client(port: number): { socket: net.Socket; received: () => string; outcome: () => string } {
  const socket = net.connect({ host: '127.0.0.1', port });
  let received = '';
  let outcome = 'connecting';
  socket.setEncoding('utf8');
  socket.on('connect', () => (outcome = 'connected'));
  socket.on('data', (text: string) => (received += text));
  socket.on('end', () => (outcome = 'ended'));
  socket.on('error', (error: NodeJS.ErrnoException) => (outcome = error.code ?? error.message));
  return { socket, received: () => received, outcome: () => outcome };
}

describe('Route', () => {
  let echo: net.Server;
  let heard: string;
  let connections: number;
  let route: Route;
  let port: number;
  let upstreamPort: number;
  const open: net.Socket[] = [];

  beforeEach(async () => {
    heard = '';
    connections = 0;
    echo = net.createServer((socket) => {
      open.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        if (heard === '') connections += 1;
        heard += chunk.toString();
        socket.write(chunk);
      });
    });
    upstreamPort = await listen(echo);
    port = await unusedPort();
    route = new Route(
      { viewer: 'b', targetIdc: 'a', label: 'kafka a', wire: 'other', port, upstreamPort },
      new Counters(),
    );
    await route.whenUp();
  });
  afterEach(async () => {
    route.setCut(false);
    route.close();
    for (const socket of open.splice(0)) socket.destroy();
    await new Promise((resolve) => echo.close(resolve));
  });

  function connect(): ReturnType<typeof client> {
    const made = client(port);
    open.push(made.socket);
    return made;
  }

  it('carries bytes both ways', async () => {
    const { socket, received } = connect();
    socket.write('hello');
    await waitFor('echo', () => (received() === 'hello' ? true : undefined), DEADLINE);
  });

  it('while cut holds the bytes of an open connection, and lets them flow on at the heal', async () => {
    const { socket, received } = connect();
    socket.write('before ');
    await waitFor('echo', () => (received() === 'before ' ? true : undefined), DEADLINE);
    route.setCut(true);
    socket.write('during ');
    const other = connect();
    await waitFor('a new connection is accepted', () => (other.outcome() === 'connected' ? true : undefined), DEADLINE);
    expect(heard).toBe('before ');
    route.setCut(false);
    await waitFor('echo', () => (received() === 'before during ' ? true : undefined), DEADLINE);
  });

  it('never delivers what was sent on a connection that was made during a cut and given up before the heal', async () => {
    route.setCut(true);
    const gaveUp = connect();
    gaveUp.socket.write('too late');
    await waitFor('accepted', () => (gaveUp.outcome() === 'connected' ? true : undefined), DEADLINE);
    const waits = connect();
    waits.socket.write('patient');
    await waitFor('accepted', () => (waits.outcome() === 'connected' ? true : undefined), DEADLINE);
    await new Promise<void>((resolve) => gaveUp.socket.end(resolve));
    route.setCut(false);
    await waitFor('echo', () => (waits.received() === 'patient' ? true : undefined), DEADLINE);
    expect(heard).toBe('patient');
    expect(connections).toBe(1);
  });

  it('does not tell of a death across a cut', async () => {
    const { socket, received, outcome } = connect();
    socket.write('x');
    await waitFor('echo', () => (received() === 'x' ? true : undefined), DEADLINE);
    route.setCut(true);
    for (const each of open) if (each !== socket) each.resetAndDestroy();
    const proof = connect();
    await waitFor('the proxy went on meanwhile', () => (proof.outcome() === 'connected' ? true : undefined), DEADLINE);
    expect(outcome()).toBe('connected');
    route.setCut(false);
    await waitFor('told after the heal', () => (outcome() === 'connected' ? undefined : true), DEADLINE);
  });

  it('refuses at once while its target is down, and serves again when it is back', async () => {
    route.setDown();
    for (const socket of open.splice(0)) socket.destroy();
    await new Promise((resolve) => echo.close(resolve));
    await waitFor(
      'refused',
      async () => {
        const attempt = connect();
        await waitFor('an outcome', () => (attempt.outcome() === 'connecting' ? undefined : true), DEADLINE);
        return attempt.outcome() === 'ECONNREFUSED' ? true : undefined;
      },
      DEADLINE,
    );
    await listen(echo, upstreamPort);
    await route.whenUp();
    const { socket, received } = connect();
    socket.write('again');
    await waitFor('echo', () => (received() === 'again' ? true : undefined), DEADLINE);
  });
});

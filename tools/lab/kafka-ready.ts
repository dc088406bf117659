import net from 'node:net';

const API_VERSIONS = 18;
const ATTEMPT_TIMEOUT_MS = 1_000;

/**
 * Sends ApiVersions v0, which a broker answers without authentication on a SASL listener too.
 * Resolves true when it answered with error 0, undefined when it did not (for `waitFor`).
 */
export async function answersApiVersions(port: number): Promise<true | undefined> {
  const clientId = 'lab';
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + clientId.length);
  request.writeInt32BE(request.length - 4, 0);
  request.writeInt16BE(API_VERSIONS, 4);
  request.writeInt32BE(1, 8);
  request.writeInt16BE(clientId.length, 12);
  request.write(clientId, 14);
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    const finish = (answer: true | undefined): void => {
      socket.destroy();
      resolve(answer);
    };
    let received = Buffer.alloc(0);
    socket.setTimeout(ATTEMPT_TIMEOUT_MS, () => finish(undefined));
    socket.on('connect', () => socket.write(request));
    socket.on('error', () => finish(undefined));
    socket.on('end', () => finish(undefined));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 10) finish(received.readInt16BE(8) === 0 ? true : undefined);
    });
  });
}

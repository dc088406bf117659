import { createServer as createPlainServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** How the broker treats a request. */
export type Manner = 'answer' | 'silent' | 'hang up' | 'hang up once';

const API_VERSIONS = 18;

/**
 * A TCP server that speaks just enough Kafka to answer ApiVersions, and misbehaves on command. It stands for what a
 * real broker cannot be made to do on demand: late answers, half-closed handshakes, silence after the accept.
 */
export class ScriptedBroker {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #held: (() => void)[] = [];
  manner: Manner = 'answer';
  /** What it answers beside ApiVersions, by API key: the body behind the header. It hangs up on a request without an answer. */
  readonly answers = new Map<number, () => Buffer>();
  readonly asked: number[] = []; // API keys
  connections = 0;
  port = 0; // still known when it is closed

  private constructor(tls: { key: string; cert: string } | null) {
    const accept = (socket: Socket): void => this.#accept(socket);
    this.#server = tls === null ? createPlainServer(accept) : createTlsServer(tls, accept);
    this.#server.on('tlsClientError', () => undefined);
  }

  static async start(tls: { key: string; cert: string } | null = null): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(tls);
    await new Promise<void>((done) => broker.#server.listen(0, '127.0.0.1', done));
    broker.port = (broker.#server.address() as AddressInfo).port;
    return broker;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Sends the answers that were held back while the manner was `silent`. */
  answerLate(): void {
    for (const send of this.#held.splice(0)) send();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }

  #accept(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    let buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      buffer = Buffer.concat([buffer, chunk]);
      while (buffer.length >= 4 && buffer.length >= 4 + buffer.readInt32BE(0)) {
        const size = buffer.readInt32BE(0);
        this.#request(socket, buffer.subarray(4, 4 + size));
        buffer = buffer.subarray(4 + size);
      }
    });
  }

  #request(socket: Socket, request: Buffer): void {
    const api = request.readInt16BE(0);
    this.asked.push(api);
    const answer = this.answers.get(api);
    if (answer !== undefined) return void socket.write(framed(request.readInt32BE(4), answer()));
    if (api !== API_VERSIONS) return void socket.destroy();
    const correlationId = request.readInt32BE(4);
    const body = Buffer.alloc(4 + 4 + 2 + 1 + 4 + 1);
    body.writeInt32BE(body.length - 4, 0);
    body.writeInt32BE(correlationId, 4);
    body.writeUInt8(1, 10); // no versions: an empty compact array
    const send = (): void => void socket.write(body);
    if (this.manner === 'answer') send();
    else if (this.manner === 'silent') this.#held.push(send);
    else {
      if (this.manner === 'hang up once') this.manner = 'answer';
      socket.destroy();
    }
  }
}

/** With a header of version 1: no tagged fields. */
function framed(correlationId: number, body: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeInt32BE(5 + body.length, 0);
  head.writeInt32BE(correlationId, 4);
  return Buffer.concat([head, body]);
}

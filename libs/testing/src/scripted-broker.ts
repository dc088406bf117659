import { createServer as createPlainServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** How the broker treats a request. */
export type Manner = 'answer' | 'silent' | 'hang up' | 'hang up once';

const METADATA = 3;
const API_VERSIONS = 18;
const NODE_ID = 1;

/**
 * A TCP server that speaks just enough Kafka to answer ApiVersions, and Metadata once it is of a cluster, and misbehaves on
 * command; any other request ends its connection. It stands for what a
 * real broker cannot be made to do on demand: late answers, half-closed handshakes, silence after the accept.
 */
export class ScriptedBroker {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #held: (() => void)[] = [];
  manner: Manner = 'answer';
  clusterId: string | null = null; // whose only broker it is; null: Metadata is not answered
  /** What it answers beside ApiVersions and Metadata, by API key: the body behind the header. */
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

  /** From now on the address leads to another cluster's broker: what was connected ends. */
  become(clusterId: string): void {
    this.clusterId = clusterId;
    this.asked.length = 0;
    for (const socket of this.#sockets) socket.destroy();
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
    const id = request.readInt32BE(4);
    this.asked.push(api);
    const answer = this.answers.get(api);
    if (answer !== undefined) return void socket.write(framed(id, answer()));
    const body = api === API_VERSIONS ? NO_VERSIONS : api === METADATA ? this.#metadata() : null;
    if (body === null) return void socket.destroy();
    const send = (): void => void socket.write(framed(id, body, api === API_VERSIONS ? [] : NO_TAGS));
    if (this.manner === 'answer') send();
    else if (this.manner === 'silent') this.#held.push(send);
    else {
      if (this.manner === 'hang up once') this.manner = 'answer';
      socket.destroy();
    }
  }

  /** Version 12: itself as the only broker, and no topics. */
  #metadata(): Buffer | null {
    if (this.clusterId === null) return null;
    const itself = [int32(NODE_ID), compact('127.0.0.1'), int32(this.port), [0], NO_TAGS];
    const parts = [int32(0), [2], ...itself, compact(this.clusterId), int32(NODE_ID), [1], NO_TAGS];
    return Buffer.from(parts.flat());
  }
}

const NO_TAGS: readonly number[] = [0];

/** With a header of version 1, which has tagged fields; that of ApiVersions never has. */
function framed(correlationId: number, body: Buffer, tags = NO_TAGS): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + tags.length + body.length, 0);
  head.writeInt32BE(correlationId, 4);
  return Buffer.concat([head, Buffer.from(tags), body]);
}

/** An error code of 0, an empty compact array, no throttling, no tags. */
const NO_VERSIONS = Buffer.from([0, 0, 1, 0, 0, 0, 0, 0]);
const int32 = (value: number): readonly number[] => [
  value >>> 24,
  (value >>> 16) & 255,
  (value >>> 8) & 255,
  value & 255,
];
const compact = (text: string): readonly number[] => [Buffer.byteLength(text) + 1, ...Buffer.from(text)];

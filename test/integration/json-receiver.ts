import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Taken = Readonly<{ path: string; body: Readonly<Record<string, unknown>>; status: number; atMs: number }>;
type Reply = Readonly<{ status: number; headers?: Readonly<Record<string, string>> }>;

/** Any JSON API that takes POSTs: it answers what the test says, keeps what it got, dies and returns. */
export class JsonReceiver {
  readonly taken: Taken[] = [];
  reply: (nth: number, body: Taken['body']) => Reply = () => ({ status: 202 });
  private server: Server | null = null;
  private port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}/in`;
  }

  accepted(): readonly Taken['body'][] {
    return this.taken.filter((t) => t.status < 300).map((t) => t.body);
  }

  async start(): Promise<this> {
    const server = createServer((req, res) => void this.take(req, res));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
    return this;
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = null;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  private async take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Taken['body'];
    const { status, headers = {} } = this.reply(this.taken.length + 1, body);
    this.taken.push({ path: req.url ?? '', body, status, atMs: performance.now() });
    res.writeHead(status, headers).end();
  }
}

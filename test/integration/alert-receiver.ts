import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { Alert } from '../../apps/controller/src/persistence/authority-store.port.js';

export type Received = Readonly<{ webhookId: string; alert: Alert; status: number }>;

/** A receiver of signed webhooks over real HTTP, verified with the public library; it can refuse, hang, die and return. */
export class AlertReceiver {
  readonly received: Received[] = [];
  forged = 0;
  /** What it answers; 0: nothing, ever. A function sees the attempt's number, from 1. */
  answer: number | ((attempt: number) => number) = 204;
  private server: Server | null = null;
  private port = 0;

  constructor(readonly secret: string) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}/alerts`;
  }

  /** Accepted ids in the order of their first acceptance. */
  accepted(): string[] {
    return this.received.filter((r) => r.status < 300).map((r) => r.webhookId);
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

  /** As killed: connections are cut, new ones refused. */
  async stop(): Promise<void> {
    const server = this.server;
    this.server = null;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  private async take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const headers = Object.fromEntries(Object.entries(req.headers).map(([k, v]) => [k, String(v)]));
    try {
      const alert = new Webhook(this.secret).verify(Buffer.concat(chunks), headers) as Alert;
      const status = typeof this.answer === 'number' ? this.answer : this.answer(this.received.length + 1);
      this.received.push({ webhookId: headers['webhook-id'] ?? '', alert, status });
      if (status === 0) return;
      res.writeHead(status, status >= 300 && status < 400 ? { location: `${this.url}/moved` } : {}).end();
    } catch {
      this.forged += 1;
      res.writeHead(401).end();
    }
  }
}

import { createServer, type Server } from 'node:http';
import { Webhook } from 'standardwebhooks';

export type ReceivedAlert = Readonly<{
  id: string;
  type: string;
  incident: string;
  row: number | null;
  reason: string;
  atMs: number;
}>;

/** An on-call receiver as a user would write it: verifies each signature with the public library, drops repeats by id. */
export class WebhookReceiver {
  readonly alerts: ReceivedAlert[] = [];
  signatureFailures = 0;
  private readonly ids = new Set<string>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** @param secret `whsec_` + base64, as Standard Webhooks wants it */
  static async start(secret: string, onAlert: (alert: ReceivedAlert) => void): Promise<WebhookReceiver> {
    const webhook = new Webhook(secret);
    let receiver: WebhookReceiver | null = null;
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const alert = receiver?.take(webhook, Buffer.concat(chunks).toString('utf8'), request.headers) ?? null;
        response.writeHead(alert === 'forged' ? 401 : 204).end();
        if (alert !== null && alert !== 'forged') onAlert(alert);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the webhook receiver has no port');
    receiver = new WebhookReceiver(server, `http://127.0.0.1:${address.port}/alerts`);
    return receiver;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private take(
    webhook: Webhook,
    body: string,
    headers: NodeJS.Dict<string | string[]>,
  ): ReceivedAlert | 'forged' | null {
    let parsed: Omit<ReceivedAlert, 'atMs'>;
    try {
      const flat = Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, String(v)]));
      parsed = webhook.verify(body, flat) as Omit<ReceivedAlert, 'atMs'>;
    } catch {
      this.signatureFailures += 1;
      return 'forged';
    }
    if (this.ids.has(parsed.id)) return null;
    this.ids.add(parsed.id);
    const alert = { ...parsed, atMs: Date.now() };
    this.alerts.push(alert);
    return alert;
  }
}

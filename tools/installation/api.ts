import { readFileSync } from 'node:fs';

const DEADLINE_MS = 5_000;

/** One controller's HTTP API, as the tests and the demo use it. */
export class Api {
  constructor(
    readonly url: string,
    private readonly tokenFile: string,
  ) {}

  /** GET; throws on anything but 2xx, naming the status and the problem. */
  async get<T>(path: string): Promise<T> {
    return (await this.request('GET', path)).body as T;
  }

  /** POST with the headers every mutation needs; returns status and body whatever they are. */
  async post(path: string, body: unknown, epoch: number): Promise<Readonly<{ status: number; body: unknown }>> {
    const response = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: {
        ...this.headers(),
        'content-type': 'application/json',
        'idempotency-key': crypto.randomUUID(),
        'if-match': `"${epoch}"`,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    return { status: response.status, body: await response.json() };
  }

  private async request(method: string, path: string): Promise<Readonly<{ body: unknown }>> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: this.headers(),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
    return { body: JSON.parse(text) };
  }

  private headers(): Record<string, string> {
    return { authorization: `Bearer ${readFileSync(this.tokenFile, 'utf8').trim()}` };
  }
}

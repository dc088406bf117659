import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';

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
  post(path: string, body: unknown, epoch: number): Promise<Readonly<{ status: number; body: unknown }>> {
    // Not fetch: its client breaks on 421, which is how a standby names the leader.
    return new Promise((resolve, reject) => {
      const call = request(
        `${this.url}${path}`,
        {
          method: 'POST',
          headers: {
            ...this.headers(),
            'content-type': 'application/json',
            'idempotency-key': crypto.randomUUID(),
            'if-match': `"${epoch}"`,
          },
          signal: AbortSignal.timeout(DEADLINE_MS),
        },
        (response) => {
          text(response).then((read) => {
            resolve({ status: response.statusCode ?? 0, body: JSON.parse(read) });
          }, reject);
        },
      );
      call.on('error', reject);
      call.end(JSON.stringify(body));
    });
  }

  private async request(method: string, path: string): Promise<Readonly<{ body: unknown }>> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: this.headers(),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer.slice(0, 300)}`);
    return { body: JSON.parse(answer) };
  }

  private headers(): Record<string, string> {
    return { authorization: `Bearer ${readFileSync(this.tokenFile, 'utf8').trim()}` };
  }
}

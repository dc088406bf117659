import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export type HealthServerOptions = Readonly<{
  host: string;
  port: number;
  registry: Registry;
  /** Null: ready; else what is missing. */
  notReady: () => string | null;
}>;

const MAX_CONNECTIONS = 64;

/** `/metrics`, `/healthz` (depends on nothing outside) and `/readyz`; nothing else, and nothing that changes anything. */
export class HealthServer {
  readonly #options: HealthServerOptions;
  readonly #server: Server;

  constructor(options: HealthServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      void this.#answer(request.method ?? '', request.url ?? '', response);
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.requestTimeout = 5_000;
  }

  /** @returns the port listened on. */
  start(): Promise<number> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.close((error) => (error === undefined || !this.#server.listening ? resolve() : reject(error)));
      this.#server.closeAllConnections();
    });
  }

  async #answer(method: string, url: string, response: ServerResponse): Promise<void> {
    const path = url.split('?')[0];
    if (method !== 'GET' && method !== 'HEAD') return send(response, 405, 'only GET\n');
    if (path === '/healthz') return send(response, 200, 'ok\n');
    if (path === '/readyz') {
      const missing = this.#options.notReady();
      return send(response, missing === null ? 200 : 503, `${missing ?? 'ok'}\n`);
    }
    if (path !== '/metrics') return send(response, 404, 'not found: /metrics, /healthz, /readyz\n');
    const { registry } = this.#options;
    try {
      send(response, 200, await registry.metrics(), registry.contentType);
    } catch (error) {
      send(response, 500, `metrics failed: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}

function send(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

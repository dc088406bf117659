import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { randomBytes } from 'node:crypto';

import { Redis } from 'ioredis';

import { ensurePrometheus, ensureRedis } from '../setup/index.js';
import { PortPool } from './ports.js';
import { ManagedProcess } from './processes.js';
import { waitFor } from './wait.js';

const READY_TIMEOUT_MS = 30_000;

type Home = Readonly<{ dir: string; ports: PortPool; port: number }>;

/** A folder and a port of its own, both given back by `close`. */
async function newHome(name: string): Promise<Home> {
  const ports = new PortPool();
  const dir = await mkdtemp(path.join(os.tmpdir(), `pointsman-${name}-`));
  return { dir, ports, port: await ports.take() };
}

/** A server outside the pretended IDCs: what alerts are sent through and to. It keeps its port while dead. */
abstract class LoneServer {
  protected constructor(
    protected readonly home: Home,
    protected readonly process: ManagedProcess,
  ) {}

  /** Starts, also again after {@link kill}; resolves when it answers. */
  async start(): Promise<void> {
    this.process.spawn();
    await waitFor(`${this.process.name} answers`, () => this.answers(), {
      timeoutMs: READY_TIMEOUT_MS,
      giveUp: () => this.process.failure(),
    });
  }

  async kill(): Promise<void> {
    this.process.signal('SIGCONT');
    this.process.signal('SIGKILL');
    await this.process.whenEnded();
  }

  /** Accepts connections and answers nothing. */
  freeze(): void {
    this.process.signal('SIGSTOP');
  }

  thaw(): void {
    this.process.signal('SIGCONT');
  }

  async close(): Promise<void> {
    if (this.process.running) await this.kill();
    await this.home.ports.release();
    await rm(this.home.dir, { recursive: true, force: true });
  }

  protected abstract answers(): Promise<true | undefined>;
}

export class RedisServer extends LoneServer {
  /** Durable, as a queue needs it: each write is on disk before its answer. */
  static async make(): Promise<RedisServer> {
    const [{ redis, libraryPath }, home] = await Promise.all([ensureRedis(), newHome('redis')]);
    const process = new ManagedProcess(
      {
        name: 'redis',
        command: redis,
        args: [
          ...['--port', String(home.port), '--bind', '127.0.0.1', '--dir', home.dir, '--save', ''],
          ...['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction'],
        ],
        env: { LD_LIBRARY_PATH: libraryPath },
        cwd: home.dir,
        logFile: path.join(home.dir, 'redis.log'),
      },
      randomBytes(4).toString('hex'),
    );
    return new RedisServer(home, process);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.home.port}`;
  }

  /** Everything it held is gone; it goes on answering. */
  async wipe(): Promise<void> {
    await this.ask((client) => client.flushall());
  }

  protected async answers(): Promise<true | undefined> {
    return (await this.ask((client) => client.ping())) === 'PONG' ? true : undefined;
  }

  private async ask<T>(question: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(this.url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    client.on('error', () => undefined); // told by the rejected call
    try {
      await client.connect();
      return await question(client);
    } finally {
      client.disconnect();
    }
  }
}

const ALERTMANAGER_CONFIG = `route: {receiver: none, group_by: [alertname]}
receivers: [{name: none}]
`;

export class AlertmanagerServer extends LoneServer {
  static async make(): Promise<AlertmanagerServer> {
    const [binaries, home] = await Promise.all([ensurePrometheus(), newHome('alertmanager')]);
    const config = path.join(home.dir, 'alertmanager.yaml');
    await writeFile(config, ALERTMANAGER_CONFIG);
    await mkdir(path.join(home.dir, 'data'));
    const process = new ManagedProcess(
      {
        name: 'alertmanager',
        command: binaries.alertmanager,
        args: [
          ...[`--config.file=${config}`, `--storage.path=${path.join(home.dir, 'data')}`],
          ...[`--web.listen-address=127.0.0.1:${home.port}`, '--cluster.listen-address='],
        ],
        cwd: binaries.alertmanagerFolder,
        logFile: path.join(home.dir, 'alertmanager.log'),
      },
      randomBytes(4).toString('hex'),
    );
    return new AlertmanagerServer(home, process);
  }

  get url(): string {
    return `http://127.0.0.1:${this.home.port}`;
  }

  protected async answers(): Promise<true | undefined> {
    const response = await fetch(`${this.url}/-/ready`, { signal: AbortSignal.timeout(1_000) });
    await response.arrayBuffer();
    return response.ok ? true : undefined;
  }
}

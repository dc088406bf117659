import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

/** Below Linux's ephemeral range (32768…), so that no outgoing connection can take a port while its server is down. */
const FIRST_PORT = 15_000;
const LAST_PORT = 32_000;
const MAX_ATTEMPTS = 2_000;

/**
 * Ports of one lab. Each is reserved by a file named after it until `release`, because a port must stay ours also
 * while its server is killed: otherwise a second lab on the machine could take it before the restart.
 */
export class PortPool {
  private readonly folder = path.join(os.tmpdir(), `pointsman-ports-${process.getuid?.() ?? 'any'}`);
  private readonly taken: number[] = [];

  async take(): Promise<number> {
    await mkdir(this.folder, { recursive: true });
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
      if (!(await this.reserve(port))) continue;
      if (await canBind(port)) {
        this.taken.push(port);
        return port;
      }
      await rm(this.fileOf(port), { force: true });
    }
    throw new Error(`no free port between ${FIRST_PORT} and ${LAST_PORT} after ${MAX_ATTEMPTS} attempts`);
  }

  async release(): Promise<void> {
    await Promise.all(this.taken.splice(0).map((port) => rm(this.fileOf(port), { force: true })));
  }

  private async reserve(port: number): Promise<boolean> {
    try {
      const file = await open(this.fileOf(port), 'wx');
      await file.writeFile(String(process.pid));
      await file.close();
      return true;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const owner = await readFile(this.fileOf(port), 'utf8').catch(() => '');
    if (owner !== '' && !existsSync(`/proc/${owner}`)) await rm(this.fileOf(port), { force: true });
    return false;
  }

  private fileOf(port: number): string {
    return path.join(this.folder, String(port));
  }
}

async function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

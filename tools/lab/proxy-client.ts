import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';

import { RUN_ID_VARIABLE } from './proc-fs.js';
import { proxyEntry } from './proxy-entry.js';
import type { ProxyReply, ProxyRequest, ProxyStats, RouteSpec } from './proxy/protocol.js';

type Waiter = { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void };

/** The lab's side of its proxy process. */
export class ProxyClient {
  private seq = 0;
  private readonly waiters = new Map<number, Waiter>();

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (reply: ProxyReply) => {
      const waiter = this.waiters.get(reply.seq);
      this.waiters.delete(reply.seq);
      if (reply.ok) waiter?.resolve(reply.value);
      else waiter?.reject(new Error(`proxy: ${reply.error}`));
    });
    child.on('exit', () => this.failAll(new Error('the proxy process of the lab has ended')));
  }

  static async start(runId: string, dir: string): Promise<ProxyClient> {
    const entry = await proxyEntry(dir);
    const log = openSync(path.join(dir, 'logs', 'proxy.log'), 'a');
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, entry], {
      env: { PATH: process.env['PATH'], [RUN_ID_VARIABLE]: runId },
      stdio: ['ignore', log, log, 'ipc'],
      detached: true,
    });
    closeSync(log);
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    return new ProxyClient(child);
  }

  async add(routes: readonly RouteSpec[]): Promise<void> {
    await this.ask({ op: 'add', routes });
  }

  async cut(x: string, y: string): Promise<void> {
    await this.ask({ op: 'cut', idcs: [x, y] });
  }

  async heal(x: string, y: string): Promise<void> {
    await this.ask({ op: 'heal', idcs: [x, y] });
  }

  /** The servers behind these ports are dead from now on: refuse, instead of accepting first and finding out. */
  async down(upstreamPorts: readonly number[]): Promise<void> {
    await this.ask({ op: 'down', upstreamPorts });
  }

  async awaitUp(upstreamPorts: readonly number[], timeoutMs: number): Promise<void> {
    await this.ask({ op: 'await-up', upstreamPorts, timeoutMs });
  }

  async stats(): Promise<ProxyStats> {
    return (await this.ask({ op: 'stats' })) as ProxyStats;
  }

  async resetStats(): Promise<void> {
    await this.ask({ op: 'reset-stats' });
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await ended;
  }

  private async ask(request: ProxyRequest): Promise<unknown> {
    if (!this.child.connected) throw new Error('the proxy process of the lab has ended');
    const seq = (this.seq += 1);
    return new Promise((resolve, reject) => {
      this.waiters.set(seq, { resolve, reject });
      this.child.send({ seq, request }, (error) => {
        if (error === null) return;
        this.waiters.delete(seq);
        reject(error);
      });
    });
  }

  private failAll(error: Error): void {
    for (const waiter of this.waiters.values()) waiter.reject(error);
    this.waiters.clear();
  }
}

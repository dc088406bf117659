import net from 'node:net';

import type { Bytes } from './counters.js';

/** Bytes kept of a client that connected during a cut, until it is known whether it still waits at the heal. */
const MAX_EARLY_BYTES = 64 * 1024;

export type LinkOptions = {
  readonly upstreamPort: number;
  readonly bytes: Bytes;
  readonly onRequestBytes: (chunk: Buffer) => void;
  readonly onRefused: () => void;
  readonly onClosed: () => void;
};

/**
 * One connection through the proxy. While held nothing passes in either direction, not even the news that a side
 * has closed: that is what a cut cable looks like from both ends. What was on its way flows on at the release.
 */
export class Link {
  private upstream: net.Socket | undefined;
  private readonly early: Buffer[] = [];
  private earlyBytes = 0;
  private postponed: (() => void)[] = [];

  constructor(
    private readonly client: net.Socket,
    private readonly options: LinkOptions,
    private held: boolean,
  ) {
    client.setNoDelay(true);
    client.on('error', ignoreBecauseCloseFollows);
    client.on('close', () => this.clientClosed());
    options.bytes.connections += 1;
    if (held) this.keepEarlyBytes();
    else this.connect();
  }

  hold(): void {
    if (this.held) return;
    this.held = true;
    this.client.pause();
    this.upstream?.pause();
  }

  release(): void {
    if (!this.held) return;
    this.held = false;
    if (this.upstream === undefined) {
      // Two turns of the event loop, so that a goodbye that has already arrived is read before this asks for it.
      setImmediate(() => setImmediate(() => this.connectIfStillWanted()));
      return;
    }
    for (const action of this.postponed.splice(0)) action();
    this.client.resume();
    this.upstream.resume();
  }

  destroy(): void {
    this.client.resetAndDestroy();
    this.upstream?.destroy();
  }

  private keepEarlyBytes(): void {
    this.client.on('data', (chunk: Buffer) => {
      this.early.push(chunk);
      this.earlyBytes += chunk.length;
      if (this.earlyBytes > MAX_EARLY_BYTES) this.client.pause();
    });
    this.client.on('end', () => this.client.destroy());
    this.client.resume();
  }

  /** Whoever gave up during the cut never got through: in a real network its SYN was lost, so nothing is executed late. */
  private connectIfStillWanted(): void {
    if (this.held || this.upstream !== undefined) return;
    this.client.pause();
    this.client.removeAllListeners('data');
    this.client.removeAllListeners('end');
    if (!this.client.destroyed && !this.client.readableEnded) this.connect();
    else this.client.destroy();
  }

  private connect(): void {
    const upstream = net.connect({ host: '127.0.0.1', port: this.options.upstreamPort, allowHalfOpen: true });
    this.upstream = upstream;
    upstream.setNoDelay(true);
    let connected = false;
    upstream.on('connect', () => {
      connected = true;
      for (const chunk of this.early.splice(0)) this.toUpstream(chunk);
      this.pump(this.client, upstream, (chunk) => this.toUpstream(chunk));
      this.pump(upstream, this.client, (chunk) => this.toClient(chunk));
      if (this.held) {
        this.client.pause();
        upstream.pause();
      }
    });
    upstream.on('error', (error: NodeJS.ErrnoException) => {
      if (!connected && error.code === 'ECONNREFUSED') this.options.onRefused();
    });
    upstream.on('close', (hadError) =>
      this.whenFlowing(() => (hadError || !connected ? this.client.resetAndDestroy() : this.client.destroySoon())),
    );
  }

  private pump(from: net.Socket, to: net.Socket, pass: (chunk: Buffer) => boolean): void {
    from.on('data', (chunk: Buffer) => {
      if (!pass(chunk)) from.pause();
    });
    to.on('drain', () => {
      if (!this.held) from.resume();
    });
    from.on('end', () => this.whenFlowing(() => to.end()));
    from.resume();
  }

  private toUpstream(chunk: Buffer): boolean {
    this.options.bytes.sent += chunk.length;
    this.options.onRequestBytes(chunk);
    return this.upstream?.write(chunk) ?? true;
  }

  private toClient(chunk: Buffer): boolean {
    this.options.bytes.received += chunk.length;
    return this.client.write(chunk);
  }

  private clientClosed(): void {
    this.whenFlowing(() => this.upstream?.destroySoon());
    if (this.upstream === undefined) this.options.onClosed();
    else if (this.upstream.destroyed) this.options.onClosed();
    else this.upstream.once('close', () => this.options.onClosed());
  }

  private whenFlowing(action: () => void): void {
    if (this.held) this.postponed.push(action);
    else action();
  }
}

/** Node destroys the socket after an error and says so in `close`, where the other side is closed too. */
function ignoreBecauseCloseFollows(): void {}

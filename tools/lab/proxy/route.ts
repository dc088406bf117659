import net from 'node:net';

import type { Counters } from './counters.js';
import { HttpFrames } from './http-frames.js';
import { KafkaFrames } from './kafka-frames.js';
import { Link } from './link.js';
import type { RouteSpec } from './protocol.js';

const UPSTREAM_POLL_MS = 50;

/**
 * One listening port of the proxy. It listens only while its target listens too, so that a client of a dead server
 * is refused at once, as by a real machine whose process died; a cut route listens always and answers never.
 */
export class Route {
  private server: net.Server | undefined;
  private readonly links = new Set<Link>();
  private cut = false;
  private upstreamUp = false;
  private closed = false;
  private poll: NodeJS.Timeout | undefined;
  private readonly upWaiters: (() => void)[] = [];

  constructor(
    readonly spec: RouteSpec,
    private readonly counters: Counters,
  ) {
    this.probeUpstream();
  }

  setCut(cut: boolean): void {
    if (this.cut === cut) return;
    this.cut = cut;
    this.listenAsNeeded();
    for (const link of this.links) {
      if (cut) link.hold();
      else link.release();
    }
  }

  /** The target was killed: refuse from now on, until it accepts again. Open connections end by themselves. */
  setDown(): void {
    this.upstreamUp = false;
    this.listenAsNeeded();
    this.schedulePoll();
  }

  whenUp(): Promise<void> {
    if (this.upstreamUp && this.server?.listening === true) return Promise.resolve();
    return new Promise((resolve) => this.upWaiters.push(resolve));
  }

  close(): void {
    clearTimeout(this.poll);
    this.closed = true;
    this.server?.close();
    for (const link of this.links) link.destroy();
  }

  private listenAsNeeded(): void {
    const wanted = this.cut || this.upstreamUp;
    if (!wanted) {
      this.server?.close();
      this.server = undefined;
      return;
    }
    if (this.server !== undefined) {
      this.announceUp();
      return;
    }
    const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (client) => this.accept(client));
    this.server = server;
    server.on('error', (error) => {
      process.stderr.write(`proxy ${this.spec.viewer}->${this.spec.label} port ${this.spec.port}: ${error.message}\n`);
      if (this.server === server) this.server = undefined;
      this.upstreamUp = false;
      this.schedulePoll();
    });
    server.listen({ host: '127.0.0.1', port: this.spec.port, backlog: 511 }, () => this.announceUp());
  }

  private announceUp(): void {
    if (!this.upstreamUp || this.server?.listening !== true) return;
    for (const resolve of this.upWaiters.splice(0)) resolve();
  }

  private accept(client: net.Socket): void {
    const link: Link = new Link(
      client,
      {
        upstreamPort: this.spec.upstreamPort,
        bytes: this.counters.bytesOf(this.spec),
        onRequestBytes: this.requestReader(),
        onRefused: () => this.setDown(),
        onClosed: () => this.links.delete(link),
      },
      this.cut,
    );
    this.links.add(link);
  }

  private requestReader(): (chunk: Buffer) => void {
    if (this.spec.wire === 'kafka') {
      const frames = new KafkaFrames((apiKey, clientId) => this.counters.kafkaRequest(this.spec, apiKey, clientId));
      return (chunk) => frames.feed(chunk);
    }
    if (this.spec.wire === 'connect') {
      const frames = new HttpFrames((method, path) => this.counters.connectRequest(this.spec, method, path));
      return (chunk) => frames.feed(chunk);
    }
    if (this.spec.wire === 'etcd') {
      const frames = new HttpFrames((_method, path) => this.counters.etcdRequest(this.spec, path));
      return (chunk) => frames.feed(chunk);
    }
    return () => undefined;
  }

  private schedulePoll(): void {
    if (this.closed) return;
    this.poll ??= setTimeout(() => {
      this.poll = undefined;
      this.probeUpstream();
    }, UPSTREAM_POLL_MS);
  }

  private probeUpstream(): void {
    const probe = net.connect({ host: '127.0.0.1', port: this.spec.upstreamPort });
    probe.on('connect', () => {
      probe.destroy();
      this.upstreamUp = true;
      this.listenAsNeeded();
    });
    probe.on('error', () => {
      probe.destroy();
      this.schedulePoll();
    });
  }
}

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP link that can swallow everything without closing anything: what a dropped route looks like to both ends. */
export class BlackHoleLink {
  private readonly sockets = new Set<Socket>();
  private swallowing = false;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async to(targetPort: () => number): Promise<BlackHoleLink> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const link = new BlackHoleLink(server, (server.address() as AddressInfo).port);
    server.on('connection', (near) => link.join(near, connect(targetPort(), '127.0.0.1')));
    return link;
  }

  swallow(on: boolean): void {
    this.swallowing = on;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(from);
      from.on('data', (bytes) => {
        if (!this.swallowing) to.write(bytes);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        if (!this.swallowing) to.destroy();
      });
    }
  }
}

import type { PortPool } from './ports.js';
import type { ProxyClient } from './proxy-client.js';
import type { RouteSpec, Wire } from './proxy/protocol.js';
import type { LabIdc } from './types.js';

type LabRoute = { readonly targetIdc: LabIdc; readonly targetPort: number; readonly port: Promise<number> };

/** Routes made on request, for everything that is not Kafka or Connect: agent to controller, controller to SQL. */
export class LabRoutes {
  private readonly routes = new Map<string, LabRoute>();

  constructor(
    private readonly pool: PortPool,
    private readonly proxy: ProxyClient,
  ) {}

  /** The proxy's port for this viewer and target; the same one when asked again. */
  async port(
    viewer: LabIdc,
    targetIdc: LabIdc,
    targetPort: number,
    label = `port ${targetPort}`,
    wire: Wire = 'other',
  ): Promise<number> {
    const key = `${viewer} ${targetIdc} ${targetPort}`;
    const known = this.routes.get(key);
    if (known !== undefined) return known.port;
    const port = this.add({ viewer, targetIdc, upstreamPort: targetPort, label, wire });
    this.routes.set(key, { targetIdc, targetPort, port });
    return port;
  }

  /** Every port routed into an IDC, also those whose process the lab does not know. */
  targetPortsIn(idc: LabIdc): number[] {
    return [...this.routes.values()].filter((route) => route.targetIdc === idc).map((route) => route.targetPort);
  }

  private async add(spec: Omit<RouteSpec, 'port'>): Promise<number> {
    const port = await this.pool.take();
    await this.proxy.add([{ ...spec, port }]);
    return port;
  }
}

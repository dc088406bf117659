import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { LabCluster } from './cluster.js';
import { connectProperties } from './connect-config.js';
import { flowConfig, mirrorClasses } from './flow-config.js';
import { javaArgs, javaProperties } from './java.js';
import { ManagedProcess } from './processes.js';
import type { ProxyClient } from './proxy-client.js';
import type { RouteSpec } from './proxy/protocol.js';
import { labIdcs, type LabFlow, type LabFlowConnectors, type LabIdc } from './types.js';
import type { PortPool } from './ports.js';
import type { Unit } from './unit.js';
import { waitFor } from './wait.js';

const READY_TIMEOUT_MS = 90_000;
const REQUEST_TIMEOUT_MS = 20_000;
const CONNECTOR_STATE_TIMEOUT_MS = 45_000;

/** The Connect worker beside one cluster; it hosts the flows whose *target* that cluster is. */
export class LabConnect {
  readonly unit: Unit;
  private readonly process: ManagedProcess;

  private constructor(
    readonly cluster: LabCluster,
    private readonly port: number,
    private readonly proxied: Readonly<Record<LabIdc, number>>,
    proxy: ProxyClient,
  ) {
    const { settings } = cluster;
    this.process = new ManagedProcess(
      {
        name: `connect-${cluster.name}`,
        command: 'java',
        args: javaArgs({
          jars: settings.jars,
          runId: settings.runId,
          archives: settings.archives,
          program: 'connect',
          args: [this.configFile()],
        }),
        cwd: settings.folder.dir,
        logFile: path.join(settings.folder.logs, `connect-${cluster.name}.log`),
      },
      settings.runId,
    );
    const ready = async (): Promise<void> => {
      await waitFor(`${this.process.name} answers`, () => this.answers(), {
        timeoutMs: READY_TIMEOUT_MS,
        pollMs: 100,
        giveUp: () => this.process.failure(),
      });
      await proxy.awaitUp([port], READY_TIMEOUT_MS);
    };
    this.unit = {
      kind: 'connect',
      idc: cluster.name,
      cluster: cluster.name,
      process: this.process,
      ports: [port],
      ready,
    };
  }

  static async create(cluster: LabCluster, pool: PortPool, proxy: ProxyClient): Promise<LabConnect> {
    const proxied = { a: await pool.take(), b: await pool.take(), c: await pool.take() };
    return new LabConnect(cluster, await pool.take(), proxied, proxy);
  }

  routes(): RouteSpec[] {
    const { name } = this.cluster;
    return labIdcs.map((viewer) => ({
      viewer,
      targetIdc: name,
      label: `connect ${name}`,
      wire: 'connect' as const,
      port: this.proxied[viewer],
      upstreamPort: this.port,
    }));
  }

  url(viewer: LabIdc): string {
    return `http://127.0.0.1:${this.proxied[viewer]}`;
  }

  /** Past the proxy. */
  directUrl(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async prepare(): Promise<void> {
    const properties = connectProperties({
      bootstrapServers: this.cluster.bootstrapServers(this.cluster.name),
      port: this.port,
      brokers: this.cluster.settings.brokers,
      security: this.cluster.settings.security,
    });
    await writeFile(this.configFile(), javaProperties(properties));
  }

  /** Creates a flow's three connectors and waits until each is in its state, with its task running. */
  async createFlow(flow: LabFlow, source: LabCluster): Promise<LabFlowConnectors> {
    const base = `${flow.from}-${flow.to}`;
    const names = flow.connectors ?? { source: `${base}-src`, checkpoint: `${base}-cp`, heartbeat: `${base}-hb` };
    const config = flowConfig(flow, {
      sourceBootstrap: source.bootstrapServers(this.cluster.name),
      targetBootstrap: this.cluster.bootstrapServers(this.cluster.name),
      replicationFactor: this.cluster.replicationFactor,
      security: this.cluster.settings.security,
    });
    await this.post(names.heartbeat, { ...config, 'connector.class': mirrorClasses.heartbeat }, 'RUNNING');
    await this.post(names.source, { ...config, 'connector.class': mirrorClasses.source }, flow.state);
    await this.post(names.checkpoint, { ...config, 'connector.class': mirrorClasses.checkpoint }, flow.state);
    await Promise.all([
      this.awaitState(names.heartbeat, 'RUNNING'),
      this.awaitState(names.source, flow.state),
      this.awaitState(names.checkpoint, flow.state),
    ]);
    return names;
  }

  private configFile(): string {
    return path.join(this.cluster.settings.folder.dir, `connect-${this.cluster.name}.properties`);
  }

  /** The REST server answers early; the herder has joined its group when it can list connectors. */
  private async answers(): Promise<true | undefined> {
    const response = await fetch(`${this.directUrl()}/connectors`, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok ? true : undefined;
  }

  private async post(name: string, config: Record<string, string>, state: LabFlow['state']): Promise<void> {
    const response = await fetch(`${this.directUrl()}/connectors`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, config, initial_state: state }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const body = await response.text();
    if (response.status !== 201)
      throw new Error(`creating connector ${name} on ${this.process.name}: HTTP ${response.status} ${body}`);
  }

  private async awaitState(name: string, state: LabFlow['state']): Promise<void> {
    await waitFor(
      `connector ${name} ${state}`,
      async () => {
        const response = await fetch(`${this.directUrl()}/connectors/${name}/status`, {
          signal: AbortSignal.timeout(5_000),
        });
        const status = (await response.json()) as ConnectorStatus;
        if (status.connector?.state !== state) return undefined;
        const tasks = status.tasks ?? [];
        const asWanted =
          state === 'STOPPED'
            ? tasks.length === 0
            : tasks.length > 0 && tasks.every((task) => task.state === 'RUNNING');
        // A checkpoint connector makes no task while there is no group to translate.
        return asWanted || (state === 'RUNNING' && tasks.length === 0 && name.endsWith('-cp')) ? true : undefined;
      },
      { timeoutMs: CONNECTOR_STATE_TIMEOUT_MS, pollMs: 100, giveUp: () => this.process.failure() },
    );
  }
}

type ConnectorStatus = {
  readonly connector?: { readonly state: string };
  readonly tasks?: readonly { readonly state: string }[];
};

import path from 'node:path';

import type { Kafka } from 'kafkajs';

import type { LabAllow } from './acls.js';
import type { LabCluster } from './cluster.js';
import type { LabConnect } from './connect.js';
import { LabPostgres } from './postgres-server.js';
import { LabRoutes } from './lab-routes.js';
import { LabProcess } from './lab-process.js';
import type { PortPool } from './ports.js';
import { processesOfRun } from './proc-fs.js';
import { signalAll } from './processes.js';
import type { ProxyClient } from './proxy-client.js';
import type { ProxyStats, Wire } from './proxy/protocol.js';
import { keepRunFolder, removeRunFolder, type RunFolder } from './run-folder.js';
import {
  labIdcs,
  type LabClusterName,
  type LabFlow,
  type LabFlowConnectors,
  type LabIdc,
  type LabOptions,
  type LabSpawn,
  type LabTarget,
  type LabTopic,
} from './types.js';
import { unitsOf, type Unit } from './unit.js';
import { waitFor } from './wait.js';

const STOP_TIMEOUT_MS = 30_000;
const ROUTE_UP_MS = 10_000;
const GONE_TIMEOUT_MS = 10_000;

export type LabParts = {
  readonly runId: string;
  readonly folder: RunFolder;
  readonly pool: PortPool;
  readonly proxy: ProxyClient;
  readonly clusters: ReadonlyMap<LabClusterName, LabCluster>;
  readonly connects: ReadonlyMap<LabClusterName, LabConnect>;
  readonly postgres: LabPostgres | undefined;
  readonly etcd: Unit | undefined;
  readonly keep: boolean;
};

/** A running lab. Every method that changes something resolves when the change holds. */
export class Lab {
  readonly idcs = labIdcs;
  readonly runId: string;
  /** The run folder: configurations, data, and `logs/<name>.log`. */
  readonly dir: string;
  private readonly units: Unit[];
  private readonly processes = new Map<string, LabProcess>();
  private readonly routes: LabRoutes;
  private closed: Promise<void> | undefined;

  constructor(private readonly parts: LabParts) {
    this.runId = parts.runId;
    this.dir = parts.folder.dir;
    this.routes = new LabRoutes(parts.pool, parts.proxy);
    this.units = [
      ...[...parts.clusters.values()].flatMap((cluster) => cluster.units),
      ...[...parts.connects.values()].map((connect) => connect.unit),
      ...(parts.postgres === undefined ? [] : [parts.postgres.unit]),
      ...(parts.etcd === undefined ? [] : [parts.etcd]),
    ];
  }

  get clusterNames(): LabClusterName[] {
    return [...this.parts.clusters.keys()];
  }

  get connectNames(): LabClusterName[] {
    return [...this.parts.connects.keys()];
  }

  has(server: 'postgres' | 'etcd'): boolean {
    return this.parts[server] !== undefined;
  }

  /** `host:port` of each broker as seen from an IDC; every address that the cluster advertises there leads through the proxy too. */
  bootstrapServers(cluster: LabClusterName, viewer: LabIdc): string[] {
    return this.cluster(cluster).bootstrapServers(viewer);
  }

  /** Past the proxy: no cut hides the cluster from these, and nothing is counted. For a test's own look at the truth. */
  directBootstrapServers(cluster: LabClusterName): string[] {
    return this.cluster(cluster).directBootstrapServers();
  }

  /** Of all its clusters. */
  get security(): NonNullable<LabOptions['security']> {
    return [...this.parts.clusters.values()][0]?.settings.security ?? 'plaintext';
  }

  /** A kafkajs client past the proxy, as `admin` in a `sasl` lab. */
  kafka(cluster: LabClusterName): Kafka {
    return this.cluster(cluster).kafka();
  }

  connectUrl(cluster: LabClusterName, viewer: LabIdc): string {
    return this.connect(cluster).url(viewer);
  }

  directConnectUrl(cluster: LabClusterName): string {
    return this.connect(cluster).directUrl();
  }

  /** Reserved for this lab until it closes. */
  async freePort(): Promise<number> {
    return this.parts.pool.take();
  }

  async postgresUrl(viewer: LabIdc): Promise<string> {
    const { postgres } = this.parts;
    if (postgres === undefined) throw new Error('this lab was started without postgres');
    return LabPostgres.url(await this.routeTo(viewer, postgres.unit, 'postgres'));
  }

  /** Where PostgreSQL keeps everything: for a copy while it is dead. */
  get postgresDataDir(): string {
    return this.parts.folder.postgres;
  }

  async etcdUrl(viewer: LabIdc): Promise<string> {
    const { etcd } = this.parts;
    if (etcd === undefined) throw new Error('this lab was started without etcd');
    return `http://127.0.0.1:${await this.routeTo(viewer, etcd, 'etcd', 'etcd')}`;
  }

  /** A route to a server of the lab's own in c. One that runs is reachable through it when this resolves. */
  private async routeTo(viewer: LabIdc, unit: Unit, label: string, wire: Wire = 'other'): Promise<number> {
    const [port] = unit.ports;
    if (port === undefined) throw new Error(`${label} listens on no port`);
    const route = await this.routes.port(viewer, 'c', port, label, wire);
    if (unit.process.running) await this.parts.proxy.awaitUp([port], ROUTE_UP_MS);
    return route;
  }

  /** A local port that leads through the proxy to `127.0.0.1:targetPort`, which belongs to `targetIdc`; made once, then reused. */
  async route(viewer: LabIdc, targetIdc: LabIdc, targetPort: number, label?: string): Promise<number> {
    return this.routes.port(viewer, targetIdc, targetPort, label);
  }

  async createTopic(cluster: LabClusterName, topic: LabTopic): Promise<void> {
    await this.cluster(cluster).createTopic(topic);
  }

  /** Grants rights in a `sasl` lab, beyond `defaultAllows`. */
  async allow(cluster: LabClusterName, allows: readonly LabAllow[]): Promise<void> {
    await this.cluster(cluster).allow(allows);
  }

  async createFlow(flow: LabFlow): Promise<LabFlowConnectors> {
    return this.connect(flow.to).createFlow(flow, this.cluster(flow.from));
  }

  spawn(spec: LabSpawn): LabProcess {
    if (this.units.some((unit) => unit.process.name === spec.name))
      throw new Error(`the lab has a process ${spec.name} already`);
    const process = new LabProcess(spec, this.parts.folder, this.runId);
    process.unit.process.spawn();
    this.units.push(process.unit);
    this.processes.set(spec.name, process);
    return process;
  }

  process(name: string): LabProcess {
    const found = this.processes.get(name);
    if (found === undefined) throw new Error(`the lab has no process ${name}`);
    return found;
  }

  /** SIGKILL to everything the target means, in one blow. */
  async kill(target: LabTarget): Promise<void> {
    const units = this.running(target);
    signalAll(
      units.map((unit) => unit.process),
      'SIGKILL',
    );
    await Promise.all([
      this.parts.proxy.down(this.portsBehind(target, units)),
      ...units.map((unit) => unit.process.whenEnded()),
    ]);
  }

  /** SIGTERM, then waits for the end; SIGKILL after 30 s. */
  async stop(target: LabTarget): Promise<void> {
    const units = this.running(target);
    signalAll(
      units.map((unit) => unit.process),
      'SIGTERM',
    );
    const timer = setTimeout(
      () =>
        signalAll(
          units.map((unit) => unit.process),
          'SIGKILL',
        ),
      STOP_TIMEOUT_MS,
    );
    await Promise.all(units.map((unit) => unit.process.whenEnded()));
    clearTimeout(timer);
    await this.parts.proxy.down(this.portsBehind(target, units));
  }

  /** SIGSTOP: alive, connected, silent. The kernel still accepts connections for it. */
  freeze(target: LabTarget): Promise<void> {
    signalAll(
      this.running(target).map((unit) => unit.process),
      'SIGSTOP',
    );
    return Promise.resolve();
  }

  thaw(target: LabTarget): Promise<void> {
    signalAll(
      this.running(target).map((unit) => unit.process),
      'SIGCONT',
    );
    return Promise.resolve();
  }

  /** Starts whatever of the target does not run, all at once, and waits until each serves. */
  async start(target: LabTarget): Promise<void> {
    const stopped = unitsOf(target, this.units).filter((unit) => !unit.process.running);
    for (const unit of stopped) unit.process.spawn();
    await Promise.all(stopped.map((unit) => unit.ready()));
  }

  isRunning(target: LabTarget): boolean {
    return unitsOf(target, this.units).every((unit) => unit.process.running);
  }

  /** Cuts the link between two IDCs, both ways: bytes are held, new connections accepted and never answered. */
  async cut(x: LabIdc, y: LabIdc): Promise<void> {
    if (x === y) throw new Error(`an IDC is not cut from itself: ${x}`);
    await this.parts.proxy.cut(x, y);
  }

  /** What was held flows on. Whoever gave up while it waited for its connection never got through. */
  async heal(x: LabIdc, y: LabIdc): Promise<void> {
    await this.parts.proxy.heal(x, y);
  }

  async proxyStats(): Promise<ProxyStats> {
    return this.parts.proxy.stats();
  }

  async resetProxyStats(): Promise<void> {
    await this.parts.proxy.resetStats();
  }

  /** What each part is doing, for people: `broker-a1 (a) running pid 4711`. */
  status(): string[] {
    return this.units.map((unit) => {
      const { pid, name } = unit.process;
      return `${name} (${unit.idc}) ${pid === undefined ? 'down' : `running pid ${pid}`}`;
    });
  }

  /** The end of a part's log, e.g. `broker-a1`, `connect-b`, `postgres`, or a spawned process's name. */
  logTail(name: string, lines?: number): string {
    const unit = this.units.find((each) => each.process.name === name);
    return unit?.process.logTail(lines) ?? `the lab has no ${name}; logs are in ${path.join(this.dir, 'logs')}`;
  }

  /** Living processes of this run, by the run id in their environment: none after `close`. */
  leftovers(): Promise<string[]> {
    return Promise.resolve(processesOfRun(this.runId));
  }

  /** Kills everything, frees the ports, removes the run folder. May be called twice. */
  close(): Promise<void> {
    this.closed ??= this.shutDown();
    return this.closed;
  }

  private async shutDown(): Promise<void> {
    const running = this.units.map((unit) => unit.process).filter((process) => process.running);
    signalAll(running, 'SIGKILL');
    await Promise.all(running.map((process) => process.whenEnded()));
    await this.parts.proxy.close();
    await waitFor(
      `the end of all processes of run ${this.runId}`,
      () => (processesOfRun(this.runId).length === 0 ? true : undefined),
      { timeoutMs: GONE_TIMEOUT_MS, pollMs: 20 },
    );
    await this.parts.pool.release();
    if (this.parts.keep) await keepRunFolder(this.parts.folder);
    else await removeRunFolder(this.parts.folder);
  }

  private running(target: LabTarget): Unit[] {
    return unitsOf(target, this.units).filter((unit) => unit.process.running);
  }

  private portsBehind(target: LabTarget, units: readonly Unit[]): number[] {
    return [...units.flatMap((unit) => unit.ports), ...('idc' in target ? this.routes.targetPortsIn(target.idc) : [])];
  }

  private cluster(name: LabClusterName): LabCluster {
    const found = this.parts.clusters.get(name);
    if (found === undefined) throw new Error(`this lab has no cluster ${name}`);
    return found;
  }

  private connect(name: LabClusterName): LabConnect {
    const found = this.parts.connects.get(name);
    if (found === undefined) throw new Error(`this lab has no Connect worker ${name}`);
    return found;
  }
}

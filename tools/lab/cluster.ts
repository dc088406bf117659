import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { Kafka, logLevel, type Admin } from 'kafkajs';

import { runCommand, tail } from '../setup/index.js';
import { aclEntries, type LabAllow } from './acls.js';
import { brokerProperties, type BrokerPorts } from './broker-config.js';
import { type ClassArchives, javaArgs, javaProperties } from './java.js';
import { answersApiVersions } from './kafka-ready.js';
import type { PortPool } from './ports.js';
import { ManagedProcess } from './processes.js';
import type { ProxyClient } from './proxy-client.js';
import type { RouteSpec } from './proxy/protocol.js';
import type { RunFolder } from './run-folder.js';
import { scramFormatArgs } from './sasl.js';
import { labIdcs, labLogin, type LabClusterName, type LabIdc, type LabOptions, type LabTopic } from './types.js';
import type { Unit } from './unit.js';
import { waitFor } from './wait.js';

const FORMAT_TIMEOUT_MS = 60_000;
/** A broker that was killed waits for its old session to expire (9 s by Kafka's default) before it serves again. */
const READY_TIMEOUT_MS = 60_000;

const TOPIC_TIMEOUT_MS = 20_000;

export type ClusterSettings = {
  readonly name: LabClusterName;
  readonly brokers: 1 | 3;
  readonly jars: string;
  readonly archives: ClassArchives | undefined;
  readonly runId: string;
  readonly folder: RunFolder;
  readonly sessionProfile: NonNullable<LabOptions['sessionProfile']>;
  readonly security: NonNullable<LabOptions['security']>;
};

/** One Kafka cluster of the lab: 1 or 3 KRaft nodes in combined mode, all in the IDC of the cluster's name. */
export class LabCluster {
  readonly units: readonly Unit[];

  private constructor(
    readonly settings: ClusterSettings,
    private readonly ports: ReadonlyMap<number, BrokerPorts>,
    private readonly proxy: ProxyClient,
  ) {
    this.units = [...ports].map(([nodeId, own]) => this.unitOf(nodeId, own));
  }

  static async create(settings: ClusterSettings, pool: PortPool, proxy: ProxyClient): Promise<LabCluster> {
    const ports = new Map<number, BrokerPorts>();
    for (let nodeId = 1; nodeId <= settings.brokers; nodeId += 1) {
      const view = async (): Promise<{ own: number; proxied: number }> => ({
        own: await pool.take(),
        proxied: await pool.take(),
      });
      const views = { a: await view(), b: await view(), c: await view() };
      ports.set(nodeId, { views, internal: await pool.take(), controller: await pool.take() });
    }
    return new LabCluster(settings, ports, proxy);
  }

  get name(): LabClusterName {
    return this.settings.name;
  }

  get replicationFactor(): number {
    return this.settings.brokers;
  }

  routes(): RouteSpec[] {
    return [...this.ports.values()].flatMap((ports) =>
      labIdcs.map((viewer) => ({
        viewer,
        targetIdc: this.name,
        label: `kafka ${this.name}`,
        wire: 'kafka' as const,
        port: ports.views[viewer].proxied,
        upstreamPort: ports.views[viewer].own,
      })),
    );
  }

  bootstrapServers(viewer: LabIdc): string[] {
    return [...this.ports.values()].map((ports) => `127.0.0.1:${ports.views[viewer].proxied}`);
  }

  /** Past the proxy: for a test's own look at the truth, which no cut may hide and no count may meet. */
  directBootstrapServers(): string[] {
    return [...this.ports.values()].map((ports) => `127.0.0.1:${ports.internal}`);
  }

  /** Writes the configurations and formats the log directories, all brokers at once. */
  async prepare(): Promise<void> {
    const clusterId = `p${randomBytes(16).toString('base64url').slice(1)}`; // a leading "-" would be read as an option
    await Promise.all([...this.ports].map(([nodeId, ports]) => this.format(nodeId, ports, clusterId)));
  }

  /** Resolves when every running broker knows the topic with a leader for each partition, whichever a client asks first. */
  async createTopic(topic: LabTopic): Promise<void> {
    await this.withAdmin(async (admin) => {
      await admin.createTopics({
        waitForLeaders: false,
        timeout: 10_000,
        topics: [
          {
            topic: topic.name,
            numPartitions: topic.partitions,
            replicationFactor: topic.replicationFactor ?? this.replicationFactor,
            configEntries: Object.entries(topic.configs ?? {}).map(([name, value]) => ({ name, value })),
          },
        ],
      });
    });
    const running = this.units.flatMap((unit) =>
      unit.process.running && unit.nodeId !== undefined ? [unit.nodeId] : [],
    );
    await Promise.all(
      running.map((nodeId) =>
        waitFor(`broker ${this.name}${nodeId} leads topic ${topic.name}`, () => this.hasLeaders(nodeId, topic.name), {
          timeoutMs: TOPIC_TIMEOUT_MS,
        }),
      ),
    );
  }

  async allow(allows: readonly LabAllow[]): Promise<void> {
    await this.withAdmin(async (admin) => {
      await admin.createAcls({ acl: allows.flatMap(aclEntries) });
    });
  }

  /** A kafkajs client past the proxy, with the rights of `admin` in a `sasl` lab. */
  kafka(servers = this.directBootstrapServers()): Kafka {
    const sasl = labLogin(this.settings.security, 'admin');
    return new Kafka({
      clientId: 'lab',
      brokers: servers,
      logLevel: logLevel.NOTHING,
      connectionTimeout: 2_000,
      requestTimeout: 10_000,
      retry: { retries: 5, initialRetryTime: 100 },
      ...(sasl === undefined ? {} : { sasl }),
    });
  }

  private async withAdmin<T>(work: (admin: Admin) => Promise<T>, servers?: string[]): Promise<T> {
    const admin = this.kafka(servers).admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  }

  private async hasLeaders(nodeId: number, topic: string): Promise<true | undefined> {
    const port = this.ports.get(nodeId)?.internal;
    return this.withAdmin(
      async (admin) => {
        const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
        return topics.every((each) => each.partitions.every((partition) => partition.leader >= 0)) ? true : undefined;
      },
      [`127.0.0.1:${port}`],
    );
  }

  private configFile(nodeId: number): string {
    return path.join(this.settings.folder.dir, `broker-${this.name}${nodeId}.properties`);
  }

  private async format(nodeId: number, ports: BrokerPorts, clusterId: string): Promise<void> {
    const { settings } = this;
    const dataDir = path.join(settings.folder.dir, `broker-${this.name}${nodeId}`);
    await mkdir(dataDir, { recursive: true });
    const quorum = new Map([...this.ports].map(([id, each]) => [id, each.controller]));
    const { sessionProfile, security } = settings;
    await writeFile(
      this.configFile(nodeId),
      javaProperties(brokerProperties({ nodeId, ports, quorum, dataDir, sessionProfile, security })),
    );
    const scram = security === 'sasl' ? scramFormatArgs() : [];
    const args = javaArgs({
      jars: settings.jars,
      runId: settings.runId,
      archives: settings.archives,
      program: 'format',
      args: ['format', '-t', clusterId, '-c', this.configFile(nodeId), ...scram],
    });
    const result = await runCommand('java', args, { cwd: settings.folder.dir, timeoutMs: FORMAT_TIMEOUT_MS });
    if (result.code !== 0)
      throw new Error(`formatting broker ${this.name}${nodeId} failed:\n${tail(result.stdout + result.stderr)}`);
  }

  private unitOf(nodeId: number, ports: BrokerPorts): Unit {
    const { settings } = this;
    const process = new ManagedProcess(
      {
        name: `broker-${this.name}${nodeId}`,
        command: 'java',
        args: javaArgs({
          jars: settings.jars,
          runId: settings.runId,
          archives: settings.archives,
          program: 'broker',
          args: [this.configFile(nodeId)],
        }),
        cwd: settings.folder.dir,
        logFile: path.join(settings.folder.logs, `broker-${this.name}${nodeId}.log`),
      },
      settings.runId,
    );
    const views = labIdcs.map((idc) => ports.views[idc].own);
    const ready = async (): Promise<void> => {
      const wait = { timeoutMs: READY_TIMEOUT_MS, giveUp: () => process.failure() };
      for (const port of [ports.internal, ...views])
        await waitFor(`${process.name} port ${port}`, () => answersApiVersions(port), wait);
      await waitFor(`${process.name} in its cluster`, () => this.isMember(nodeId, ports.internal), wait);
      await this.proxy.awaitUp(views, READY_TIMEOUT_MS);
    };
    return { kind: 'broker', idc: this.name, cluster: this.name, nodeId, process, ports: views, ready };
  }

  /** Known to the controllers as living, asked at the broker itself; leaders are back when all brokers run. */
  private async isMember(nodeId: number, port: number): Promise<true | undefined> {
    return this.withAdmin(
      async (admin) => {
        const { brokers } = await admin.describeCluster();
        if (!brokers.some((broker) => broker.nodeId === nodeId)) return undefined;
        if (!this.units.every((unit) => unit.process.running)) return true;
        if (brokers.length < this.settings.brokers) return undefined;
        const { topics } = await admin.fetchTopicMetadata();
        return topics.every((topic) => topic.partitions.every((partition) => partition.leader >= 0)) ? true : undefined;
      },
      [`127.0.0.1:${port}`],
    );
  }
}

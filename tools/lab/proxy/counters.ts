import { isMutatingKafkaApi, kafkaApiName } from './kafka-apis.js';
import { MAX_MUTATION_LOG, type ConnectMutation, type ProxyStats, type RouteSpec } from './protocol.js';

type Counts = Record<string, Record<string, number>>;
export type Bytes = { sent: number; received: number; connections: number };

const READ_ONLY_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Everything the proxy counts. Plain sums: the size is bounded by the number of routes, APIs and client ids. */
export class Counters {
  private kafka: Counts = {};
  private kafkaMutating: Counts = {};
  private kafkaByClient: Record<string, Counts> = {};
  private connect: Counts = {};
  private etcd: Counts = {};
  private connectMutating: Counts = {};
  private connectLog: ConnectMutation[] = [];
  private readonly bytes: Record<string, Bytes> = {};

  kafkaRequest(route: RouteSpec, apiKey: number, clientId: string): void {
    const pair = pairOf(route);
    const api = kafkaApiName(apiKey);
    add(this.kafka, pair, api);
    add((this.kafkaByClient[pair] ??= {}), clientId, api);
    if (isMutatingKafkaApi(apiKey)) add(this.kafkaMutating, pair, api);
  }

  connectRequest(route: RouteSpec, method: string, path: string): void {
    const pair = pairOf(route);
    add(this.connect, pair, method);
    if (READ_ONLY_METHODS.has(method)) return;
    add(this.connectMutating, pair, method);
    this.connectLog.push({ atMs: Date.now(), viewer: route.viewer, target: route.targetIdc, method, path });
    if (this.connectLog.length > MAX_MUTATION_LOG) this.connectLog.shift();
  }

  etcdRequest(route: RouteSpec, path: string): void {
    add(this.etcd, pairOf(route), path);
  }

  /** The live byte counter of a route; survives `reset` (it is zeroed in place) so that open connections keep counting. */
  bytesOf(route: RouteSpec): Bytes {
    return (this.bytes[`${route.viewer}->${route.label}`] ??= { sent: 0, received: 0, connections: 0 });
  }

  reset(): void {
    this.kafka = {};
    this.kafkaMutating = {};
    this.kafkaByClient = {};
    this.connect = {};
    this.etcd = {};
    this.connectMutating = {};
    this.connectLog = [];
    for (const count of Object.values(this.bytes)) Object.assign(count, { sent: 0, received: 0, connections: 0 });
  }

  snapshot(): ProxyStats {
    return {
      kafkaRequests: this.kafka,
      kafkaRequestsByClient: this.kafkaByClient,
      mutating: { kafka: this.kafkaMutating, connect: this.connectMutating, connectLog: this.connectLog },
      connectRequests: this.connect,
      etcdRequests: this.etcd,
      bytes: this.bytes,
    };
  }
}

function pairOf(route: RouteSpec): string {
  return `${route.viewer}->${route.targetIdc}`;
}

function add(counts: Counts, pair: string, key: string): void {
  const row = (counts[pair] ??= {});
  row[key] = (row[key] ?? 0) + 1;
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandBody } from '#failover';
import { ConnectClient, KafkaCallError, monotonicMs, type ClusterLayout } from '#kafka';
import { seedFlow } from './seed-flow.hand.js';

type Entry = { partition: { cluster: string; topic: string; partition: number }; offset: { offset: number } | null };

/** A Connect worker over real HTTP, as far as offsets go. It believes every alias and every topic, as the real one does. */
class Worker {
  state = 'STOPPED';
  stored = new Map<string, number>();
  readonly patches: Entry[][] = [];
  /** Changes are kept and never answered, as by a worker whose own Kafka is dead. */
  hold = false;
  readonly queued: (() => void)[] = [];
  /** What is answered is not what was stored. */
  forgets = false;
  #server: Server | null = null;

  async listen(): Promise<string> {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    await new Promise<void>((done) => this.#server?.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((done) => this.#server?.close(done));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const what = request.url?.split('/')[3] ?? '';
    const json = (body: unknown): void => void response.end(JSON.stringify(body));
    if (request.url?.startsWith('/connectors/none/'))
      return void response.writeHead(404).end('{"error_code":404,"message":"Connector none not found"}');
    if (request.method === 'PATCH') {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      const { offsets } = JSON.parse(text) as { offsets: Entry[] };
      this.patches.push(offsets);
      if (this.hold) return void this.queued.push(() => this.#store(offsets));
      if (this.state !== 'STOPPED') return void response.writeHead(400).end('{}');
      this.#store(offsets);
      return json({ message: 'altered successfully' });
    }
    if (what === 'config') return json({ 'source.cluster.alias': 'b' });
    if (what === 'offsets') return json({ offsets: [...this.stored].map(([k, offset]) => entryOf(k, offset)) });
    json({ connector: { state: this.state, worker_id: 'w' }, tasks: this.state === 'STOPPED' ? [] : [{ id: 0 }] });
  }

  #store(offsets: readonly Entry[]): void {
    if (this.forgets) return;
    for (const { partition, offset } of offsets) {
      const key = `${partition.cluster}/${partition.topic}/${partition.partition}`;
      if (offset === null) this.stored.delete(key);
      else this.stored.set(key, offset.offset);
    }
  }
}

const entryOf = (key: string, offset: number): Entry => {
  const [cluster = '', topic = '', partition] = key.split('/');
  return { partition: { cluster, topic, partition: Number(partition) }, offset: { offset } };
};

const layout: ClusterLayout = { clusterId: 'a', brokers: [], topics: new Map() };
const answering = { layout: () => Promise.resolve(layout) };
const dead = {
  layout: () => Promise.reject(new KafkaCallError('Metadata', { kind: 'refused', errorCode: null, detail: 'refused' })),
};
type SeedFlow = Extract<CommandBody, { kind: 'seed_flow' }>;
const body = (offsets: readonly number[], source = 'src'): SeedFlow => ({
  kind: 'seed_flow',
  from: 'b',
  to: 'a',
  connectors: { source, checkpoint: 'cp', heartbeat: 'hb' },
  positions: offsets.map((offset, partition) => ({ topic: 'orders', partition, offset })),
});
const within = (ms: number): (() => number) => {
  const endsAtMs = monotonicMs() + ms;
  return () => Math.max(1, endsAtMs - monotonicMs());
};

describe('seeding a flow', () => {
  let worker: Worker;
  let connect: ConnectClient;
  const seed = (of: SeedFlow, ms = 5_000, ownCluster: typeof answering | typeof dead = answering) =>
    seedFlow({ connect, ownCluster }, of, within(ms));

  beforeEach(async () => {
    worker = new Worker();
    connect = new ConnectClient(await worker.listen());
  });
  afterEach(async () => {
    await connect.close();
    await worker.close();
  });

  it('stores S − 1, leaves nothing at S = 0 and takes away what an earlier direction left there', async () => {
    worker.stored = new Map([
      ['b/orders/1', 77],
      ['b/heartbeats/0', 5],
    ]);
    expect(await seed(body([12, 0, 1]))).toMatchObject({ outcome: 'seeded', equal: 3, different: [] });
    expect(Object.fromEntries(worker.stored)).toEqual({ 'b/orders/0': 11, 'b/orders/2': 0, 'b/heartbeats/0': 5 });
  });

  it('sends nothing when all is as it should be, and thousands of partitions in batches', async () => {
    const many = body(Array.from({ length: 1_203 }, (_, i) => i));
    expect(await seed(many)).toMatchObject({ outcome: 'seeded', equal: 1_203 });
    expect(worker.patches.map((p) => p.length)).toEqual([500, 500, 202]); // partition 0 begins at the start
    expect(await seed(many)).toMatchObject({ outcome: 'seeded', equal: 1_203 });
    expect(worker.patches).toHaveLength(3);
  });

  it('sends nothing to a flow that is not stopped, nor to a connector that does not exist', async () => {
    worker.state = 'RUNNING';
    expect(await seed(body([12]))).toMatchObject({ outcome: 'not_stopped' });
    expect(await seed(body([12], 'none'))).toMatchObject({ outcome: 'absent' });
    expect(worker.patches).toEqual([]);
  });

  it('sends nothing while the cluster of the worker does not answer (I38)', async () => {
    await expect(seed(body([12]), 5_000, dead)).rejects.toMatchObject({ kind: 'refused' });
    expect(worker.patches).toEqual([]);
  });

  it('believes what is read back, not what was answered', async () => {
    worker.forgets = true;
    expect(await seed(body([12, 0]))).toEqual({
      kind: 'seeded',
      outcome: 'different',
      equal: 1,
      different: [{ topic: 'orders', partition: 0, offset: -1 }],
      detail: 'what was read back is not what was asked',
    });
  });

  it('takes a request without an answer for neither done nor lost: what is read must hold', async () => {
    worker.hold = true;
    const going = seed(body([12]), 12_000);
    await expect.poll(() => worker.queued.length, { timeout: 5_000 }).toBe(1);
    worker.hold = false;
    await expect.poll(() => worker.patches.length, { timeout: 5_000 }).toBe(2); // asked again after the time-out
    const beganMs = monotonicMs();
    worker.queued.shift()?.(); // the late one lands now: it said the same
    expect(await going).toMatchObject({ outcome: 'seeded' });
    expect(monotonicMs() - beganMs).toBeGreaterThan(1_000);
    expect(Object.fromEntries(worker.stored)).toEqual({ 'b/orders/0': 11 });
  });
});

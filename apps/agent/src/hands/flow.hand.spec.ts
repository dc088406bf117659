import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FlowGoal } from '#failover';
import { ConnectClient, KafkaCallError, type ClusterLayout } from '#kafka';
import { FlowHand } from './flow.hand.js';

type Connector = { state: string; tasks: string[]; trace?: string };

/** A Connect worker over real HTTP whose queue can be held, as it is while its own Kafka is dead. */
class Worker {
  readonly connectors = new Map<string, Connector>([
    ['src', { state: 'RUNNING', tasks: ['RUNNING'] }],
    ['cp', { state: 'RUNNING', tasks: ['RUNNING'] }],
  ]);
  readonly changes: string[] = [];
  /** Changes that wait in the queue, unanswered, to be carried out at some later time. */
  readonly queued: (() => void)[] = [];
  /** It has just started: it has not read the statuses of others' connectors yet. */
  blind = false;
  /** It has only just started: its HTTP server answers, and nothing of Connect is behind it yet. */
  bare = false;
  holdChanges = false;
  silent = false;
  /** Tasks are gone only after the state was read this often: the stop takes its time. */
  lateReads = 0;
  failAgain = false;
  readonly #lateTasks = new Map<Connector, () => unknown>();
  #server: Server | null = null;
  #port = 0;

  /** On the same port each time, like a worker that comes back. */
  async listen(): Promise<string> {
    const server = createServer((request, response) => this.#answer(request.method ?? '', request.url ?? '', response));
    this.#server = server;
    await new Promise<void>((done) => server.listen(this.#port, '127.0.0.1', done));
    this.#port = (server.address() as AddressInfo).port;
    return `http://127.0.0.1:${this.#port}`;
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((done) => this.#server?.close(done));
  }

  #answer(method: string, url: string, response: ServerResponse): void {
    if (this.silent) return;
    if (this.bare) return void response.writeHead(404).end('<html><title>Error 404 Not Found</title></html>');
    const [, , name = '', what = ''] = url.split('/');
    const connector = this.connectors.get(name);
    const json = (body: unknown): void => void response.end(JSON.stringify(body));
    const missing = (message: string): void =>
      void response.writeHead(404).end(JSON.stringify({ error_code: 404, message }));
    if (!connector) return missing(`Connector ${name} not found`);
    if (method === 'PUT' || method === 'POST') {
      this.changes.push(`${what} ${name}`);
      if (this.holdChanges) return void this.queued.push(() => this.#carryOut(connector, what));
      this.#carryOut(connector, what);
      return void response.writeHead(202).end();
    }
    this.#lateTasks.get(connector)?.();
    if (what === 'offsets') return json({ offsets: [] });
    if (what === 'config') return json({ 'connector.class': 'MirrorSourceConnector' });
    if (this.blind) return missing(`No status found for connector ${name}`);
    json({
      name,
      connector: { state: connector.state, worker_id: 'w' },
      tasks: connector.tasks.map((state, id) => ({
        id,
        state,
        ...(state === 'FAILED' ? { trace: connector.trace } : {}),
      })),
    });
  }

  #carryOut(connector: Connector, what: string): void {
    if (what.startsWith('restart') && this.failAgain) return;
    connector.state = what === 'stop' ? 'STOPPED' : 'RUNNING';
    const tasks = what === 'stop' ? [] : ['RUNNING'];
    let reads = this.lateReads;
    if (reads === 0) connector.tasks = tasks;
    else this.#lateTasks.set(connector, () => (reads -= 1) < 0 && (connector.tasks = tasks));
  }
}

const goal = (state: FlowGoal['state']): FlowGoal => ({
  subject: 'flow',
  group: 'g',
  from: 'a',
  to: 'b',
  state,
  epoch: 1,
  term: 1,
  connectors: { source: 'src', checkpoint: 'cp', heartbeat: 'hb' },
});
const answering = {
  layout: (): Promise<ClusterLayout> => Promise.resolve({ clusterId: 'b', brokers: [], topics: new Map() }),
};
const dead = {
  layout: (): Promise<ClusterLayout> =>
    Promise.reject(new KafkaCallError('Metadata', { kind: 'refused', errorCode: null, detail: '' })),
};

let worker: Worker;
let connect: ConnectClient;
beforeEach(async () => {
  worker = new Worker();
  connect = new ConnectClient(await worker.listen());
});
afterEach(async () => {
  await connect.close();
  await worker.close();
});

describe('FlowHand', () => {
  it('is not done before the last task is gone', async () => {
    worker.lateReads = 2;
    const status = await new FlowHand(connect, answering).apply(goal('stopped'), AbortSignal.timeout(5_000));
    expect(status).toMatchObject({ observed: 'stopped', reached: true, detail: 'src STOPPED []; cp STOPPED []' });
    expect(worker.changes).toEqual(['stop src', 'stop cp']); // the copying first
  });

  it('sends nothing when nothing is to be changed, and starts the copying last', async () => {
    const hand = new FlowHand(connect, answering);
    expect(await hand.apply(goal('running'), AbortSignal.timeout(5_000))).toMatchObject({ reached: true });
    expect(worker.changes).toEqual([]);
    for (const c of worker.connectors.values()) Object.assign(c, { state: 'STOPPED', tasks: [] });
    await hand.apply(goal('running'), AbortSignal.timeout(5_000));
    expect(worker.changes).toEqual(['resume cp', 'resume src']);
  });

  it("sends no change while the worker's own cluster is silent: it would be carried out later (I38)", async () => {
    await expect(new FlowHand(connect, dead).apply(goal('stopped'), AbortSignal.timeout(5_000))).rejects.toThrow(
      'Metadata',
    );
    expect(worker.changes).toEqual([]);
  });

  it('believes nothing after a change without an answer until the state was read back and held (I38)', async () => {
    const hand = new FlowHand(connect, answering, { callMs: 150 });
    worker.holdChanges = true;
    const unsure = await hand.apply(goal('stopped'), AbortSignal.timeout(700));
    expect(unsure).toMatchObject({ observed: 'unknown', reached: false });
    expect(await hand.observe(goal('stopped'))).toMatchObject({ observed: 'unknown' });
    worker.holdChanges = false;
    for (const carryOut of worker.queued.splice(0)) carryOut();
    const settled = await hand.apply(goal('stopped'), AbortSignal.timeout(6_000));
    expect(settled).toMatchObject({ observed: 'stopped', reached: true });
  });

  it('attests a worker that refuses for two seconds, and stops the one that comes back', async () => {
    const hand = new FlowHand(connect, answering);
    await worker.close();
    await expect(hand.apply(goal('stopped'), AbortSignal.timeout(500))).rejects.toThrow('ECONNREFUSED'); // not proved yet
    expect(await hand.apply(goal('stopped'), AbortSignal.timeout(5_000))).toMatchObject({
      observed: 'refused',
      reached: false,
    });
    await worker.listen();
    expect(await hand.apply(goal('stopped'), AbortSignal.timeout(5_000))).toMatchObject({ reached: true });
    expect(worker.changes).toEqual(['stop src', 'stop cp']);
    await worker.close();
    await expect(hand.apply(goal('stopped'), AbortSignal.timeout(500))).rejects.toThrow('ECONNREFUSED'); // proved anew
  });

  it('never attests a worker that is silent, nor one whose own cluster refuses', async () => {
    worker.silent = true;
    const patient = new FlowHand(connect, answering, { callMs: 100 });
    await expect(patient.apply(goal('stopped'), AbortSignal.timeout(3_000))).rejects.toThrow('on the Connect worker');
    worker.silent = false;
    await expect(new FlowHand(connect, dead).apply(goal('stopped'), AbortSignal.timeout(3_000))).rejects.toThrow(
      'Metadata',
    );
  });

  const TRACE = 'org.apache.kafka.common.errors.RecordTooLargeException: 2000 bytes\n\tat Sender.run(Sender.java:1)';
  const failed = { state: 'RUNNING', tasks: ['RUNNING', 'FAILED'], trace: TRACE };
  const RESTART = 'restart?includeTasks=true&onlyFailed=true src';

  it('restarts failed tasks of a flow that should run, and only of such a one', async () => {
    const hand = new FlowHand(connect, answering);
    worker.connectors.set('src', { ...failed });
    expect(await hand.apply(goal('running'), AbortSignal.timeout(5_000))).toMatchObject({ reached: true });
    expect(worker.changes).toEqual([RESTART]);
    worker.connectors.set('src', { ...failed });
    expect(await hand.apply(goal('stopped'), AbortSignal.timeout(5_000))).toMatchObject({ reached: true });
    expect(worker.changes).toEqual([RESTART, 'stop src', 'stop cp']);
  });

  it('restarts them once and then waits, saying what Connect says, its first line', async () => {
    const hand = new FlowHand(connect, answering);
    worker.connectors.set('src', { ...failed });
    worker.failAgain = true;
    const first = await hand.apply(goal('running'), AbortSignal.timeout(700));
    expect(first).toMatchObject({ observed: 'partial', reached: false });
    expect(first.detail).toContain(
      'src task 1 failed: org.apache.kafka.common.errors.RecordTooLargeException: 2000 bytes (',
    );
    expect(first.detail).not.toContain('Sender.java');
    await hand.apply(goal('running'), AbortSignal.timeout(300));
    expect(worker.changes).toEqual([RESTART]);
  });

  it("restarts nothing while the worker's own cluster is silent (I38)", async () => {
    worker.connectors.set('src', { ...failed });
    await expect(new FlowHand(connect, dead).apply(goal('running'), AbortSignal.timeout(5_000))).rejects.toThrow(
      'Metadata',
    );
    expect(worker.changes).toEqual([]);
  });

  it('calls a flow stopped whose connectors are not there, once worker and cluster have said so', async () => {
    worker.connectors.clear();
    const status = await new FlowHand(connect, answering).apply(goal('stopped'), AbortSignal.timeout(5_000));
    expect(status).toMatchObject({ observed: 'stopped', reached: true, detail: 'src absent; cp absent' });
    expect(worker.changes).toEqual([]);
  });

  it('does not take a worker that has just started, and knows no status yet, for one without the flow', async () => {
    worker.blind = true;
    const hand = new FlowHand(connect, answering);
    const unsure = await hand.observe(goal('stopped'));
    expect(unsure).toMatchObject({ observed: 'partial', reached: false, detail: 'src UNKNOWN []; cp UNKNOWN []' });
    expect(await hand.apply(goal('stopped'), AbortSignal.timeout(400))).toMatchObject({ reached: false });
    expect(worker.changes).toEqual(['stop src', 'stop cp']);
    worker.blind = false;
    expect(await hand.apply(goal('stopped'), AbortSignal.timeout(5_000))).toMatchObject({ reached: true });
  });

  it('calls nothing stopped by a worker that answers 404 to everything: it has only just started (I33, I37)', async () => {
    worker.bare = true;
    const hand = new FlowHand(connect, answering);
    await expect(hand.apply(goal('stopped'), AbortSignal.timeout(5_000))).rejects.toThrow('404');
    await expect(hand.observe(goal('stopped'))).rejects.toThrow('404');
    worker.bare = false;
    expect(await hand.apply(goal('stopped'), AbortSignal.timeout(5_000))).toMatchObject({ reached: true });
    expect(worker.changes).toEqual(['stop src', 'stop cp']);
  });

  it("believes no absence while the worker's own cluster is silent", async () => {
    worker.connectors.clear();
    await expect(new FlowHand(connect, dead).apply(goal('stopped'), AbortSignal.timeout(5_000))).rejects.toThrow(
      'Metadata',
    );
  });

  it('says partial of a connector that is not there', async () => {
    worker.connectors.delete('cp');
    const status = await new FlowHand(connect, answering).apply(goal('running'), AbortSignal.timeout(400));
    expect(status).toMatchObject({ observed: 'partial', reached: false });
    expect(status.detail).toContain('cp absent');
  });
});

import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { aPointer } from '../config-center.conformance.js';
import { formatPointer } from '../pointer-schema.js';
import type { Pointer } from '../port.js';
import { EtcdConfigCenter, type EtcdConfigCenterOptions } from './etcd-config-center.js';

/** The one key that a cluster of members shows to readers and watchers. */
class Store {
  pointer: Pointer = aPointer('orders', 1, 1);
  readonly members: Member[] = [];

  publish(epoch: number): void {
    this.pointer = aPointer('orders', epoch, 1);
    for (const member of this.members) member.tell();
  }

  get kv() {
    const encode = (t: string) => Buffer.from(t).toString('base64');
    const key = encode('/pointsman/v1/groups/orders/pointer');
    return { key, value: encode(formatPointer(this.pointer)), mod_revision: String(this.pointer.epoch) };
  }

  get header() {
    return { revision: String(this.pointer.epoch) };
  }
}

/** As much of etcd's JSON gateway as a watch and the reads beside it need. */
class Member {
  readonly streams: ServerResponse[] = []; // also those that are gone
  hung = false; // as without power: whoever is connected stays so, and hears nothing
  swallowed = 0; // requests, while it hung
  private readonly muted = new Set<ServerResponse>();
  private readonly store: Store;
  private readonly server: Server;

  private constructor(store: Store) {
    this.store = store;
    this.server = createServer((request, response) => {
      void text(request).then(() => this.answer(request.url, response));
    });
  }

  static async of(store: Store): Promise<Member> {
    const member = new Member(store);
    await new Promise<void>((resolve) => member.server.listen(0, '127.0.0.1', resolve));
    store.members.push(member);
    return member;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What lies between keeps the streams that are open now, and forgets where they lead. */
  muteStreams(): void {
    for (const stream of this.streams) this.muted.add(stream);
  }

  tell(): void {
    if (this.hung) return;
    const line = `${JSON.stringify({ result: { header: this.store.header, events: [{ kv: this.store.kv }] } })}\n`;
    for (const stream of this.streams) if (!this.muted.has(stream)) stream.write(line);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private answer(path: string | undefined, response: ServerResponse): void {
    if (this.hung) {
      this.swallowed++;
      return;
    }
    if (path === '/v3/watch') {
      response.write(`${JSON.stringify({ result: { header: this.store.header, created: true } })}\n`);
      this.streams.push(response);
      return;
    }
    const responses = [{ response_range: { kvs: [this.store.kv] } }, { response_range: {} }];
    response.end(JSON.stringify({ header: this.store.header, succeeded: true, responses }));
  }
}

describe('a watch on etcd', () => {
  const LONG_MS = 600_000; // no check beside the stream within a test
  let store: Store;
  let first: Member;
  let second: Member;
  let epochs: number[];
  let errors: string[];
  let center: EtcdConfigCenter;

  const watch = async (more: Partial<EtcdConfigCenterOptions>): Promise<void> => {
    const endpoints = [first.url, second.url];
    center = new EtcdConfigCenter({ endpoints, deadlineMs: 500, pollIntervalMs: 20, ...more });
    center.watch(
      'orders',
      (p) => epochs.push(p.epoch),
      (e) => errors.push(e.message),
    );
    await vi.waitFor(() => expect(first.streams).toHaveLength(1), 5_000);
    expect(epochs).toEqual([1]);
  };
  const arrives = (epoch: number) => vi.waitFor(() => expect(epochs.at(-1)).toBe(epoch), 10_000);

  beforeEach(async () => {
    store = new Store();
    [first, second] = [await Member.of(store), await Member.of(store)];
    epochs = [];
    errors = [];
  });
  afterEach(async () => {
    await center.close();
    await Promise.all([first.close(), second.close()]);
  });

  it('leaves an endpoint that hangs as soon as any call had to go to another', async () => {
    await watch({ checkIntervalMs: LONG_MS });
    first.hung = true;
    store.publish(2);
    expect(await center.read('orders')).toMatchObject({ epoch: 2 });
    await arrives(2);
    await vi.waitFor(() => expect(second.streams).toHaveLength(1), 5_000);
    store.publish(3);
    await arrives(3);
    expect(epochs).toEqual([1, 2, 3]);
    expect(errors).toEqual([`etcd ${first.url} does not answer any more, ${second.url} does`]);
  });

  it('opens its stream again when a read finds what the stream did not bring', async () => {
    await watch({ checkIntervalMs: 200 });
    first.muteStreams();
    store.publish(2);
    await arrives(2);
    await vi.waitFor(() => expect(first.streams).toHaveLength(2), 5_000);
    expect(errors).toEqual(['etcd: the watch of group orders is silent about what a read found']);
    expect(second.streams).toEqual([]);
  });

  it('ends at once when it is closed, though a read is under way and no endpoint answers', async () => {
    await watch({ checkIntervalMs: 20, deadlineMs: LONG_MS });
    first.hung = true;
    second.hung = true;
    await vi.waitFor(() => expect(first.swallowed).toBeGreaterThan(0), 5_000);
    await center.close();
    expect([errors, second.swallowed]).toEqual([[], 0]);
  }, 10_000);

  it('keeps a stream that brings everything, however many reads are made beside it', async () => {
    await watch({ checkIntervalMs: LONG_MS });
    for (const epoch of [2, 3, 4]) {
      store.publish(epoch);
      await arrives(epoch);
      await center.read('orders');
    }
    expect(first.streams).toHaveLength(1);
    expect(errors).toEqual([]);
  });
});

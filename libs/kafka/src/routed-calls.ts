import { fetchV12, findCoordinatorV4, metadataV12, type Connection } from '@platformatic/kafka';
import type { Ms } from '#health';
import type { CallOptions } from './broker-link.js';
import { toLayout, toSlice } from './codec.js';
import type { ClusterConnectionConfig } from './connection-config.js';
import { DeadlineError, monotonicMs, pause } from './deadline.js';
import { failureOf, failureOfCode, KafkaCallError, responseIn } from './kafka-error.js';
import { LinkPool } from './link-pool.js';
import type { Address, ClusterLayout, FetchedSlice } from './ports.js';

const GROUP_KEY = 0;
export const TRANSACTION_KEY = 1;
export const UNKNOWN_TOPIC = 3;
/** A moved leader or coordinator, or one that is not ready: ask again where the cluster says now. */
const STALE_CODES: ReadonlySet<number> = new Set([5, 6, 14, 15, 16, 74, 75]);
const RETRY_PAUSE_MS = 100;
const FETCH_BYTES = 4 * 1024 * 1024;
const FETCH_WAIT_MS = 100;
const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;

export type FetchReply = ReturnType<typeof fetchV12.parseResponse>;

/** What is left of one operation's deadline; every step of it draws on the same purse. */
export class Budget {
  readonly #endsAtMs: Ms;
  readonly #totalMs: Ms;
  constructor(totalMs: Ms) {
    this.#totalMs = totalMs;
    this.#endsAtMs = monotonicMs() + totalMs;
  }
  leftMs(): Ms {
    return this.#endsAtMs - monotonicMs();
  }
  require(what: string): Ms {
    const left = this.leftMs();
    if (left <= 0) throw new KafkaCallError(what, failureOf(new DeadlineError(what, this.#totalMs)));
    return left;
  }
}

/** Finds the broker that can answer: any, a partition's leader, a group's coordinator. Every try draws on one budget. */
export class RoutedCalls {
  readonly #config: ClusterConnectionConfig;
  readonly #links: LinkPool;
  #known: readonly Address[];
  readonly #silent = new Set<Address>();

  constructor(config: ClusterConnectionConfig) {
    this.#config = config;
    this.#links = new LinkPool(config);
    this.#known = config.bootstrapServers;
  }

  close(): void {
    this.#links.close();
  }

  async fetch(topic: string, partition: number, offset: number, budget: Budget): Promise<FetchedSlice> {
    return toSlice(await this.fetchRaw(topic, partition, offset, READ_UNCOMMITTED, budget), topic, partition, offset);
  }

  fetchCommitted(topic: string, partition: number, offset: number, budget: Budget): Promise<FetchReply> {
    return this.fetchRaw(topic, partition, offset, READ_COMMITTED, budget);
  }

  private fetchRaw(
    topic: string,
    partition: number,
    offset: number,
    isolation: number,
    budget: Budget,
  ): Promise<FetchReply> {
    return this.retryStale('Fetch', budget, async () => {
      const address = await this.leader(topic, partition, budget);
      return this.at(address, 'Fetch', budget.require('Fetch'), async (c) => {
        const from = {
          partition,
          currentLeaderEpoch: -1,
          fetchOffset: BigInt(offset),
          lastFetchedEpoch: -1,
          partitionMaxBytes: FETCH_BYTES,
        };
        const asked = [{ topicId: topic, partitions: [from] }];
        return fetchV12.api.async(c, FETCH_WAIT_MS, 1, FETCH_BYTES, isolation, 0, -1, asked, [], '');
      });
    });
  }

  async leader(topic: string, partition: number, budget: Budget): Promise<Address> {
    const layout = await this.layout([topic], budget);
    const found = layout.topics.get(topic);
    const p = found?.partitions.find((x) => x.partition === partition);
    if (!p) throw unknownTopic(topic, found?.errorCode);
    const address = layout.brokers.find((b) => b.id === p.leader)?.address;
    if (!address) throw leaderless(topic, partition);
    return address;
  }

  async layout(topics: readonly string[] | null, budget: Budget): Promise<ClusterLayout> {
    const layout = await this.any('Metadata', budget, async (c) => {
      const wanted = topics === null ? null : [...topics];
      return toLayout(await tolerate(metadataV12.api.async(c, wanted, false, false)));
    });
    const fresh = layout.brokers.map((b) => b.address);
    this.#known = [...new Set([...fresh, ...this.#config.bootstrapServers])];
    return layout;
  }

  /** Groups (or transactional ids) by coordinator, one request to each; a moved coordinator is looked up again within the budget. */
  byCoordinator<T>(
    what: string,
    groups: readonly string[],
    budget: Budget,
    ask: (connection: Connection, groups: readonly string[]) => Promise<T>,
    keyType: typeof GROUP_KEY | typeof TRANSACTION_KEY = GROUP_KEY,
  ): Promise<T[]> {
    return this.retryStale(what, budget, async () => {
      const found = await this.any('FindCoordinator', budget, async (c) => {
        const reply = await findCoordinatorV4.api.async(c, keyType, [...groups]);
        return groupBy(reply.coordinators, (x) => `${x.host}:${x.port}`);
      });
      const leftMs = budget.require(what);
      return Promise.all(
        [...found].map(([at, list]) =>
          this.at(at, what, leftMs, (c) =>
            ask(
              c,
              list.map((x) => x.key),
            ),
          ),
        ),
      );
    });
  }

  /** The first broker that answers, in turn; each gets a share of what is left, so that one silent broker is survived. */
  async any<T>(what: string, budget: Budget, ask: (connection: Connection) => Promise<T>): Promise<T> {
    let last = new KafkaCallError(what, otherFailure('no broker address to ask'));
    const known = this.#known.toSorted((x, y) => Number(this.#silent.has(x)) - Number(this.#silent.has(y)));
    for (const [i, address] of known.entries()) {
      const shareMs = budget.require(what) / Math.min(2, known.length - i);
      try {
        const answer = await this.at(address, what, shareMs, ask);
        this.#silent.delete(address);
        return answer;
      } catch (error) {
        if (!(error instanceof KafkaCallError) || error.errorCode !== null) throw error; // an answer is an answer
        last = error;
        this.#silent.add(address); // asked last from now on
      }
    }
    throw last;
  }

  async at<T>(
    address: Address,
    what: string,
    deadlineMs: Ms,
    ask: (connection: Connection) => Promise<T>,
    options: CallOptions = {},
  ): Promise<T> {
    try {
      return await this.#links.link('hands', address).call(what, ask, deadlineMs, options);
    } catch (cause) {
      throw cause instanceof KafkaCallError
        ? cause
        : new KafkaCallError(`${what} at ${address}`, failureOf(cause), { cause });
    }
  }

  async retryStale<T>(what: string, budget: Budget, work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const stale = error instanceof KafkaCallError && error.errorCode !== null && STALE_CODES.has(error.errorCode);
        if (!stale || budget.leftMs() <= RETRY_PAUSE_MS) throw error;
        await pause(RETRY_PAUSE_MS);
        budget.require(what);
      }
    }
  }
}

export async function tolerate<R>(work: Promise<R>): Promise<R> {
  try {
    return await work;
  } catch (error) {
    const reply = responseIn<R>(error);
    if (reply === null) throw error;
    return reply;
  }
}

export function groupBy<T>(list: readonly T[], key: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

export const otherFailure = (detail: string) => ({ kind: 'other', errorCode: null, detail }) as const;
/** Nothing is known of the topic: by the code of the cluster, that may also mean that we may not see it. */
export const unknownTopic = (topic: string, errorCode = 0): KafkaCallError =>
  new KafkaCallError(topic, failureOfCode(errorCode === 0 ? UNKNOWN_TOPIC : errorCode, 'not in the metadata'));
export const leaderless = (topic: string, partition: number) =>
  new KafkaCallError(`${topic}-${partition}`, { kind: 'broker', errorCode: 5, detail: 'no leader' });

import type {
  Alert,
  AlertState,
  DeliveryOutcome,
  DeliveryRow,
  PendingAlert,
} from '../../apps/controller/src/persistence/alerts.port.js';
import type { OutboxRow, ControllerRow } from '../../apps/controller/src/persistence/authority-store.port.js';
import { StoreUnavailableError } from '../../apps/controller/src/persistence/authority-store.port.js';
import type { Tables } from './memory-authority-tables.js';
import { copyTables, emptyTables } from './memory-authority-tables.js';

/**
 * Where a call can be broken or held. `commit-before`: nothing is written; `commit-after`: everything is, and the caller is
 * not told; `lease-answer`: the lease was changed, its answer is late or lost.
 */
export type Call = 'read' | 'write' | 'lease' | 'lease-answer' | 'begin' | 'commit-before' | 'commit-after';

/** What stands between a caller and its answer until it is let go. */
export type Hold = Readonly<{ reached: Promise<void>; release(): void }>;

type Order = Readonly<{ call: Call; client: string | null; act: () => Promise<void> }>;

/** The state that several controllers share in a test, and the faults that a test orders. Each order is used once. */
export class MemoryAuthorityServer {
  tables: Tables = emptyTables();
  readonly controllers = new Map<string, ControllerRow>();
  /** Transactions committed so far: a test can tell "not written" from "written and not told". */
  commits = 0;

  private readonly settled = new Map<string, string>();
  private readonly deliveries = new Map<string, ReadonlyMap<string, DeliveryRow>>();
  private readonly unreachable = new Set<string>();
  private readonly cutListeners = new Set<() => void>();
  private orders: readonly Order[] = [];
  private tail: Promise<unknown> = Promise.resolve();
  private down = false;

  /** The next such call (of that client) fails as a broken connection does. */
  failNext(call: Call, client: string | null = null): void {
    const failing = { call, client, act: () => Promise.reject(unavailable(call.startsWith('commit'))) };
    this.orders = [...this.orders, failing];
  }

  /** The next such call (of that client) stands still until released. */
  holdNext(call: Call, client: string | null = null): Hold {
    const reached = gate();
    const released = gate();
    const act = () => {
      reached.open();
      return released.opened;
    };
    this.orders = [...this.orders, { call, client, act }];
    return { reached: reached.opened, release: () => released.open() };
  }

  /** Cuts one controller off: its calls fail, and a transaction that it has open is undone. */
  partition(client: string): void {
    this.unreachable.add(client);
    for (const listener of [...this.cutListeners]) listener();
  }

  heal(client: string): void {
    this.unreachable.delete(client);
  }

  /** The server itself; content is kept. */
  stop(): void {
    this.down = true;
    for (const listener of [...this.cutListeners]) listener();
  }

  start(): void {
    this.down = false;
  }

  // ---- for the stores ----

  check(client: string, outcomeUnknown = false): void {
    if (this.down || this.unreachable.has(client)) throw unavailable(outcomeUnknown);
  }

  /** A call arrives at a place where it can be broken. */
  async enter(client: string, call: Call): Promise<void> {
    this.check(client, call.startsWith('commit'));
    const order = this.orders.find((o) => o.call === call && (o.client === null || o.client === client));
    if (!order) return;
    this.orders = this.orders.filter((o) => o !== order);
    await order.act();
    this.check(client, call.startsWith('commit'));
  }

  /** One at a time, as the lease row's lock has it. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.tail.then(work);
    this.tail = result.catch(() => undefined); // told to the caller through `result`
    return result;
  }

  /** Rejects when the client is cut off. The listener goes when it has fired; a few stay until the database is dropped. */
  untilUnreachable(client: string): Promise<never> {
    return new Promise((_, reject) => {
      const listener = (): void => {
        if (!this.down && !this.unreachable.has(client)) return;
        this.cutListeners.delete(listener);
        reject(unavailable(false));
      };
      this.cutListeners.add(listener);
    });
  }

  copyForTransaction(): Tables {
    return copyTables(this.tables);
  }

  commit(tables: Tables): void {
    this.tables = tables;
    this.commits += 1;
  }

  pendingAlerts(limit: number, after: number): readonly PendingAlert[] {
    return [...this.tables.alerts.values()]
      .filter(({ seq, alert }) => seq > after && !this.settled.has(alert.id))
      .slice(0, limit)
      .map(({ seq, resends, alert }) => ({ ...this.outboxRow(alert), seq, resends }));
  }

  alerts(state: AlertState): readonly OutboxRow[] {
    const rows = [...this.tables.alerts.values()].map(({ alert }) => this.outboxRow(alert)).toReversed();
    if (state === 'pending') return rows.filter((row) => row.settledAt === null);
    return state === 'dead' ? rows.filter((row) => row.deliveries.some((d) => d.deadAt !== null)) : rows;
  }

  settledAt(id: string): string | null {
    return this.settled.get(id) ?? null;
  }

  settle(id: string, resends: number, at: string): void {
    if (this.tables.alerts.get(id)?.resends === resends && !this.settled.has(id)) this.settled.set(id, at);
  }

  mark(id: string, receiver: string, outcome: DeliveryOutcome): void {
    const known = this.deliveries.get(id)?.get(receiver);
    if (known?.deliveredAt) return;
    if (known !== undefined && 'round' in outcome && outcome.round !== undefined && outcome.round !== known.round)
      return;
    const common = { receiver, attempts: (known?.attempts ?? 0) + 1, round: known?.round ?? 1 };
    const next: DeliveryRow =
      'deliveredAt' in outcome
        ? {
            ...common,
            deliveredAt: outcome.deliveredAt,
            attemptedAt: outcome.deliveredAt,
            lastError: null,
            deadAt: null,
          }
        : {
            ...common,
            deliveredAt: null,
            attemptedAt: outcome.failedAt,
            lastError: outcome.error,
            deadAt: outcome.dead === true ? outcome.failedAt : (known?.deadAt ?? null),
          };
    this.put(id, next);
  }

  /** The receivers that gave this alert up (of those named; null: of all). */
  deadAt(id: string, receivers: readonly string[] | null): readonly string[] {
    return this.dead(id, receivers).map((each) => each.receiver);
  }

  resend(id: string, receivers: readonly string[]): void {
    const dead = this.dead(id, receivers);
    for (const each of dead) this.put(id, { ...each, deadAt: null, attempts: 0, round: each.round + 1 });
    if (dead.length > 0) this.settled.delete(id);
  }

  private dead(id: string, receivers: readonly string[] | null): readonly DeliveryRow[] {
    return [...(this.deliveries.get(id)?.values() ?? [])]
      .filter((d) => d.deadAt !== null && d.deliveredAt === null && (receivers?.includes(d.receiver) ?? true))
      .toSorted((a, b) => (a.receiver < b.receiver ? -1 : 1));
  }

  private put(id: string, row: DeliveryRow): void {
    this.deliveries.set(id, new Map(this.deliveries.get(id)).set(row.receiver, row));
  }

  private outboxRow(alert: Alert): OutboxRow {
    const deliveries = [...(this.deliveries.get(alert.id)?.values() ?? [])];
    return {
      alert,
      settledAt: this.settledAt(alert.id),
      deliveries: deliveries.toSorted((a, b) => (a.receiver < b.receiver ? -1 : 1)),
    };
  }
}

const unavailable = (outcomeUnknown: boolean) =>
  new StoreUnavailableError('fault ordered by the test', { cause: new Error('no connection'), outcomeUnknown });

/** `Promise.withResolvers` came after Node 20. */
function gate(): Readonly<{ opened: Promise<void>; open(): void }> {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

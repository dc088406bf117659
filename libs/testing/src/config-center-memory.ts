import type { ClientReport, ConfigCenter, Pointer, PublishResult } from '#config-center';
import {
  ConfigCenterError,
  checkPublication,
  checkReport,
  checkTerm,
  createWatchFilter,
  explainRefusal,
} from '#config-center';

type Entry = Readonly<{ current: Pointer | null; claimedTerm: number }>;
const NOTHING: Entry = { current: null, claimedTerm: 0 };

/**
 * A config center in memory that passes the conformance suite. `open()` gives one more connection to the same state;
 * `stop()` and `start()` are the server's; `refuseWrites` makes it readable but not writable (I25).
 */
export class MemoryConfigCenterServer {
  private readonly entries = new Map<string, Entry>();
  private readonly listeners = new Set<() => void>();
  private readonly clients = new Map<string, { report: ClientReport; endsAtMs: number }>();
  private up = true;
  refuseWrites = false;

  open(): ConfigCenter {
    return new MemoryConfigCenter(this);
  }

  stop(): void {
    this.up = false;
    this.notify();
  }

  start(): void {
    this.up = true;
    this.notify();
  }

  /** Writes without any guard, as a stranger would. */
  overwrite(pointer: Pointer): void {
    this.entries.set(pointer.group, {
      current: pointer,
      claimedTerm: this.entries.get(pointer.group)?.claimedTerm ?? 0,
    });
    this.notify();
  }

  get(group: string): Entry {
    if (!this.up) throw unreachable();
    return this.entries.get(group) ?? NOTHING;
  }

  put(group: string, entry: Entry): void {
    this.checkWritable();
    this.entries.set(group, entry);
    this.notify();
  }

  report(report: ClientReport, ttlMs: number): void {
    this.checkWritable();
    this.clients.set(`${report.group}/${report.instance}`, { report, endsAtMs: performance.now() + ttlMs });
  }

  withdraw(group: string, instance: string): void {
    this.checkWritable();
    this.clients.delete(`${group}/${instance}`);
  }

  adoptions(group: string): readonly ClientReport[] {
    if (!this.up) throw unreachable();
    const living = [...this.clients.values()].filter((c) => c.endsAtMs > performance.now());
    return living.flatMap(({ report }) => (report.group === group ? [report] : []));
  }

  checkWritable(): void {
    if (!this.up || this.refuseWrites) throw unreachable();
  }

  listen(f: () => void): () => void {
    this.listeners.add(f);
    return () => this.listeners.delete(f);
  }

  private notify(): void {
    for (const f of [...this.listeners]) queueMicrotask(f);
  }
}

class MemoryConfigCenter implements ConfigCenter {
  private readonly server: MemoryConfigCenterServer;
  private readonly watches = new Set<() => Promise<void>>();

  constructor(server: MemoryConfigCenterServer) {
    this.server = server;
  }

  async read(group: string): Promise<Pointer | null> {
    return this.server.get(group).current;
  }

  async claimedTerm(group: string): Promise<number> {
    return this.server.get(group).claimedTerm;
  }

  async claim(group: string, term: number): Promise<boolean> {
    checkTerm(term);
    const entry = this.server.get(group);
    if (entry.claimedTerm > term) return false;
    this.server.put(group, { ...entry, claimedTerm: term });
    return true;
  }

  async publish(pointer: Pointer, guard: Readonly<{ expectedEpoch: number; term: number }>): Promise<PublishResult> {
    checkPublication(pointer, guard);
    const entry = this.server.get(pointer.group);
    const refusal = explainRefusal(pointer, guard, entry);
    if (refusal !== null) return refusal;
    this.server.put(pointer.group, { ...entry, current: pointer });
    return { ok: true };
  }

  async prepare(): Promise<void> {}

  async report(report: ClientReport, ttlMs: number): Promise<void> {
    checkReport(report, ttlMs);
    this.server.report(report, ttlMs);
  }

  async withdraw(group: string, instance: string): Promise<void> {
    this.server.withdraw(group, instance);
  }

  async adoptions(group: string): Promise<readonly ClientReport[]> {
    return this.server.adoptions(group);
  }

  async canary(): Promise<void> {
    this.server.checkWritable();
  }

  watch(group: string, onPointer: (p: Pointer) => void, onError?: (e: Error) => void): () => Promise<void> {
    const filter = createWatchFilter(onPointer, onError);
    let stopped = false;
    const look = () => {
      if (stopped) return;
      let seen: Pointer | null;
      try {
        seen = this.server.get(group).current;
      } catch (e) {
        return filter.failed(e);
      }
      filter.seen(seen);
    };
    const unlisten = this.server.listen(look);
    queueMicrotask(look);
    const stop = async () => {
      stopped = true;
      unlisten();
      this.watches.delete(stop);
    };
    this.watches.add(stop);
    return stop;
  }

  async close(): Promise<void> {
    await Promise.all([...this.watches].map((stop) => stop()));
  }
}

function unreachable(): ConfigCenterError {
  return new ConfigCenterError('CENTER_UNREACHABLE', 'the config center in memory was told to be down', 'start() it');
}

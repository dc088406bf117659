import { randomUUID } from 'node:crypto';
import type { ClientReport } from '../adoption.js';
import { ConfigCenterError } from '../errors.js';
import { checkPublication, checkTerm, explainRefusal } from '../guard.js';
import type { PublishGuard } from '../guard.js';
import { formatPointer, parsePointerText } from '../pointer-schema.js';
import type { ConfigCenter, Pointer, PublishResult } from '../port.js';
import { createWatchFilter, jittered, pause } from '../watch-filter.js';
import type { WatchFilter } from '../watch-filter.js';
import { EtcdAdoptions } from './etcd-adoptions.js';
import { EtcdGateway } from './etcd-gateway.js';
import type { EtcdGatewayOptions, KeyValue } from './etcd-gateway.js';

export type EtcdConfigCenterOptions = EtcdGatewayOptions &
  Readonly<{
    pollIntervalMs?: number; // of watch while its stream is broken, ±20 % (default 500)
    checkIntervalMs?: number; // of watch while its stream stands: a silent one may be dead (default 5000)
  }>;

const ROOT = '/pointsman/v1';
const pointerKey = (group: string) => `${ROOT}/groups/${group}/pointer`;
const claimKey = (group: string) => `${ROOT}/groups/${group}/claim`;
const CANARY_KEY = `${ROOT}/canary`;
const MAX_ROUNDS = 8;

type State = Readonly<{
  current: Pointer | null;
  claimedTerm: number;
  pointerRevision: string; // "0": absent
  revision: string; // of the whole store
}>;

/** The config center in etcd 3.4 and later: pointer and claim are two keys, a publication is one transaction over both. */
export class EtcdConfigCenter implements ConfigCenter {
  private readonly etcd: EtcdGateway;
  private readonly pollIntervalMs: number;
  private readonly checkIntervalMs: number;
  private readonly watches = new Set<() => Promise<void>>();
  private readonly clients: EtcdAdoptions;

  constructor(options: EtcdConfigCenterOptions) {
    this.etcd = new EtcdGateway(options);
    this.clients = new EtcdAdoptions(this.etcd);
    this.pollIntervalMs = options.pollIntervalMs ?? 500;
    this.checkIntervalMs = options.checkIntervalMs ?? 5_000;
  }

  async read(group: string): Promise<Pointer | null> {
    return (await this.state(group)).current;
  }

  async claimedTerm(group: string): Promise<number> {
    const { values } = await this.etcd.getAll([claimKey(group)]);
    return claimOf(group, values[0] ?? null);
  }

  async claim(group: string, term: number): Promise<boolean> {
    checkTerm(term);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const { values } = await this.etcd.getAll([claimKey(group)]);
      const held = values[0] ?? null;
      const heldTerm = claimOf(group, held);
      if (heldTerm >= term) return heldTerm === term;
      const condition = { key: claimKey(group), modRevision: held?.modRevision ?? '0' };
      if (await this.etcd.putIf(claimKey(group), String(term), [condition])) return true;
    }
    throw contended(group);
  }

  async publish(pointer: Pointer, guard: PublishGuard): Promise<PublishResult> {
    checkPublication(pointer, guard);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const seen = await this.state(pointer.group);
      const refusal = explainRefusal(pointer, guard, seen);
      if (refusal !== null) return refusal;
      const won = await this.etcd.putIf(pointerKey(pointer.group), formatPointer(pointer), [
        { key: pointerKey(pointer.group), modRevision: seen.pointerRevision },
        { key: claimKey(pointer.group), value: String(guard.term) },
      ]);
      if (won) return { ok: true };
    }
    throw contended(pointer.group);
  }

  async prepare(): Promise<void> {}

  report(report: ClientReport, ttlMs: number): Promise<void> {
    return this.clients.report(report, ttlMs);
  }

  withdraw(group: string, instance: string): Promise<void> {
    return this.clients.withdraw(group, instance);
  }

  adoptions(group: string): Promise<readonly ClientReport[]> {
    return this.clients.adoptions(group);
  }

  async canary(): Promise<void> {
    const revisionNow = async () => BigInt((await this.etcd.getAll([CANARY_KEY])).values[0]?.modRevision ?? '0');
    const before = await revisionNow();
    await this.etcd.putIf(CANARY_KEY, randomUUID(), []);
    // Compared by revision: another controller's canary may have come after ours.
    if ((await revisionNow()) > before) return;
    throw new ConfigCenterError(
      'CANARY_LOST',
      `wrote a canary to ${CANARY_KEY} and could not read it back`,
      'do all endpoints belong to one etcd cluster?',
    );
  }

  watch(group: string, onPointer: (p: Pointer) => void, onError?: (e: Error) => void): () => Promise<void> {
    const abort = new AbortController();
    const filter = createWatchFilter(
      (p) => !abort.signal.aborted && onPointer(p),
      (e) => !abort.signal.aborted && onError?.(e),
    );
    const loop = (async () => {
      let streams = true; // told once when they do not come through, though the reads do
      while (!abort.signal.aborted) {
        let reading = true;
        try {
          const state = await this.state(group);
          filter.seen(state.current);
          reading = false;
          await this.follow(group, state.revision, filter, abort.signal, () => (streams = true));
        } catch (e) {
          if (!abort.signal.aborted && (reading || streams)) filter.failed(e);
          if (!reading) streams = false;
        }
        await pause(jittered(this.pollIntervalMs), abort.signal);
      }
    })();
    const stop = async () => {
      abort.abort();
      this.watches.delete(stop);
      await loop;
    };
    this.watches.add(stop);
    return stop;
  }

  async close(): Promise<void> {
    const stopped = [...this.watches].map((stop) => stop());
    await this.etcd.close(); // ends what the watches are asking, which else tries one endpoint after another
    await Promise.all(stopped);
  }

  /**
   * One stream from `revision` on, until it breaks, with a read beside it every `checkIntervalMs`: a network that
   * swallows packets leaves a stream open and silent for ever. So a read ends it that fails, that another endpoint
   * answered (EtcdGateway sees to that), or that found what the stream did not bring.
   */
  private async follow(
    group: string,
    revision: string,
    filter: WatchFilter,
    signal: AbortSignal,
    onStream: () => void,
  ): Promise<void> {
    const stream = new AbortController();
    const either = AbortSignal.any([signal, stream.signal]);
    const streaming = (async () => {
      const from = (BigInt(revision) + 1n).toString();
      for await (const message of this.etcd.watch(pointerKey(group), from, either)) {
        if (message.kind === 'canceled') throw new Error(`etcd ended the watch: ${message.reason}`);
        onStream();
        if (message.kind !== 'events') continue;
        for (const kv of message.values) filter.seen(parsePointerText(kv.value, kv.key));
      }
    })();
    const checking = (async () => {
      for (;;) {
        await pause(jittered(this.checkIntervalMs), either);
        if (either.aborted) return;
        if (filter.seen(await this.read(group)))
          throw new Error(`etcd: the watch of group ${group} is silent about what a read found`);
      }
    })();
    try {
      await Promise.race([streaming, checking]);
    } finally {
      stream.abort();
      // The loser ends by the abort; its rejection tells nothing that the winner has not told.
      await Promise.allSettled([streaming, checking]);
    }
  }

  private async state(group: string): Promise<State> {
    const { revision, values } = await this.etcd.getAll([pointerKey(group), claimKey(group)]);
    const [pointer, claim] = [values[0] ?? null, values[1] ?? null];
    return {
      current: pointer === null ? null : pointerOf(group, pointer),
      claimedTerm: claimOf(group, claim),
      pointerRevision: pointer?.modRevision ?? '0',
      revision,
    };
  }
}

function pointerOf(group: string, kv: KeyValue): Pointer {
  const pointer = parsePointerText(kv.value, kv.key);
  if (pointer.group === group) return pointer;
  throw new ConfigCenterError(
    'POINTER_INVALID',
    `${kv.key} holds a pointer of group ${pointer.group}`,
    'find out who wrote it; only the controllers of this installation may write there',
  );
}

function claimOf(group: string, kv: KeyValue | null): number {
  if (kv === null) return 0;
  const term = Number(kv.value);
  if (Number.isSafeInteger(term) && term > 0) return term;
  throw new ConfigCenterError(
    'POINTER_INVALID',
    `${claimKey(group)} holds ${JSON.stringify(kv.value)}, not a term`,
    'find out who wrote it; only the controllers of this installation may write there',
  );
}

function contended(group: string): ConfigCenterError {
  return new ConfigCenterError(
    'CENTER_CONTENDED',
    `group ${group}: its keys changed ${MAX_ROUNDS} times while they were being written`,
    'try again; several writers at once are expected only while leadership changes',
  );
}

import { samePointer } from '#config-center';
import type { Pointer, PointerSource } from '#config-center';
import { PointerConflictError, asError } from './client.errors.js';
import type { Emit } from './events.js';
import { readStateFile, writeStateFile } from './state-file.js';
import { atMost, jittered, LEAVE_WITHIN_MS, pause } from './timing.js';

export type PointerFollowerOptions = Readonly<{
  group: string;
  source: PointerSource;
  stateFile: string | null;
  pollIntervalMs: number;
  staleAfterMs: number;
  emit: Emit;
  adopt(pointer: Pointer, previous: Pointer | null): void;
}>;

/**
 * Knows the pointer in force. Learns it from the state file, from a watch and from reads beside the watch; takes only
 * a higher epoch, and never forgets one because a config center is silent or empty (I30).
 */
export class PointerFollower {
  private readonly options: PointerFollowerOptions;
  private readonly ending = new AbortController();
  private pointer: Pointer | null = null;
  private stopWatch: (() => Promise<void>) | null = null;
  private polling: Promise<void> = Promise.resolve();
  private writing: Promise<void> = Promise.resolve();
  private reading: Promise<boolean> | null = null;
  private lastAnswerAt = performance.now();
  private staleTold = false;
  private conflictTold: string | null = null;

  constructor(options: PointerFollowerOptions) {
    this.options = options;
  }

  current(): Pointer | null {
    return this.pointer;
  }

  start(): void {
    const { group, source, stateFile } = this.options;
    if (stateFile !== null) {
      try {
        this.pointer = readStateFile(stateFile, group);
      } catch (e) {
        // A damaged file costs the cold start only; the config center is the authority. Told a moment later, when
        // the caller has had the chance to listen.
        queueMicrotask(() => this.tellStale(e));
      }
      const kept = this.pointer;
      if (kept !== null) queueMicrotask(() => this.options.emit('pointer', kept));
    }
    this.stopWatch = source.watch(
      group,
      (p) => {
        this.answered();
        this.accept(p);
      },
      (e) => this.silent(e),
    );
    this.polling = this.poll();
  }

  /** Asks the config center now. True if it answered; then `current()` is as fresh as it can be. */
  refresh(): Promise<boolean> {
    this.reading ??= this.readOnce().finally(() => {
      this.reading = null;
    });
    return this.reading;
  }

  /**
   * Takes nothing more from now on. Does not wait for all of a read under way, which may try one endpoint after another,
   * each for two seconds.
   */
  async close(): Promise<void> {
    this.ending.abort();
    await atMost(LEAVE_WITHIN_MS, Promise.all([this.stopWatch?.(), this.polling]));
    await this.writing;
  }

  private async poll(): Promise<void> {
    while (!this.ending.signal.aborted) {
      await this.refresh();
      await pause(jittered(this.options.pollIntervalMs), this.ending.signal);
    }
  }

  private async readOnce(): Promise<boolean> {
    try {
      const pointer = await this.options.source.read(this.options.group);
      if (this.ending.signal.aborted) return false;
      this.answered();
      if (pointer !== null) this.accept(pointer);
      return true;
    } catch (e) {
      this.silent(e);
      return false;
    }
  }

  private accept(next: Pointer): void {
    if (this.ending.signal.aborted || next.group !== this.options.group) return;
    const now = this.pointer;
    if (now !== null && next.epoch < now.epoch) return;
    if (now !== null && next.epoch === now.epoch) {
      if (!samePointer(next, now))
        this.conflict(
          'foreign-content',
          next,
          `epoch ${now.epoch} names ${now.activeCluster} here and ${next.activeCluster} in the config center, or differs elsewhere`,
        );
      return;
    }
    if (now !== null && next.term < now.term)
      return this.conflict(
        'term-went-back',
        next,
        `epoch ${next.epoch} carries term ${next.term}, epoch ${now.epoch} carried term ${now.term}`,
      );
    this.pointer = next;
    this.keep(next);
    this.options.adopt(next, now);
  }

  private conflict(reason: 'foreign-content' | 'term-went-back', next: Pointer, text: string): void {
    const key = `${reason} ${next.epoch} ${next.term} ${next.activeCluster}`;
    if (this.conflictTold === key) return;
    this.conflictTold = key;
    const error = new PointerConflictError(
      `group ${next.group}: ${text}; the pointer of epoch ${this.pointer?.epoch} stays`,
    );
    this.options.emit('blocked', { reason, error });
  }

  private keep(pointer: Pointer): void {
    const { stateFile } = this.options;
    if (stateFile === null) return;
    this.writing = this.writing.then(() => writeStateFile(stateFile, pointer)).catch((e: unknown) => this.tellStale(e));
  }

  private answered(): void {
    this.lastAnswerAt = performance.now();
    this.staleTold = false;
  }

  private silent(e: unknown): void {
    if (this.ending.signal.aborted || this.staleTold) return;
    if (performance.now() - this.lastAnswerAt < this.options.staleAfterMs) return;
    this.staleTold = true;
    this.tellStale(e);
  }

  private tellStale(e: unknown): void {
    this.options.emit('stale', { silentMs: performance.now() - this.lastAnswerAt, error: asError(e) });
  }
}

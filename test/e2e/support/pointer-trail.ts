import type { Pointer } from '#config-center';
import { waitFor } from '#lab';
import { setTimeout as delay } from 'node:timers/promises';
import type { Installation } from '../../../tools/installation/index.js';

const SAMPLE_MS = 20;

/** Every different pointer that the config center ever showed, sampled all the time: a publication cannot hide between two looks. */
export class PointerTrail {
  readonly seen: Readonly<{ pointer: Pointer; atMs: number }>[] = [];
  private readonly stopping = new AbortController();
  private loop: Promise<void> = Promise.resolve();

  /** Resolves with the first pointer seen. */
  static async follow(installation: Installation): Promise<PointerTrail> {
    const trail = new PointerTrail();
    trail.loop = trail.run(installation);
    await waitFor('the config center shows a pointer', () => trail.seen[0], { timeoutMs: 10_000 });
    return trail;
  }

  /** `active@epoch`, in the order seen. */
  get steps(): readonly string[] {
    return this.seen.map(({ pointer }) => `${pointer.activeCluster}@${pointer.epoch}`);
  }

  /** {@link steps} once `last` is among them: whoever else saw a publication may be one sample ahead of this trail. */
  async stepsWith(last: string): Promise<readonly string[]> {
    return waitFor(`the trail shows ${last}`, () => (this.steps.includes(last) ? this.steps : undefined), {
      timeoutMs: 10_000,
    });
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop;
  }

  private async run(installation: Installation): Promise<void> {
    const { signal } = this.stopping;
    let last = '';
    while (!signal.aborted) {
      const pointer = await installation.pointer().catch(() => null); // a center that is down shows nothing
      const text = JSON.stringify(pointer);
      if (pointer !== null && text !== last) {
        this.seen.push({ pointer, atMs: Date.now() });
        last = text;
      }
      await delay(SAMPLE_MS);
    }
  }
}

import type { GoalStatus } from '#failover';
import { Turns } from './turns.js';

/**
 * A goal that took another's place waits for the end of its last request: the old effect must not land after the new. The status
 * is said as soon as it was read; what is written down behind it belongs to the same turn, but holds up no status.
 */
export class GoalTurns {
  readonly #turns = new Turns();
  readonly #unrecorded = new Map<string, string>(); // key → why the record behind its last status failed

  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    return this.#turns.take(key, work);
  }

  /** `record` is left out while nothing was read. Why it failed is said with the next status. */
  apply(key: string, effect: () => Promise<GoalStatus>, record: () => Promise<void>): Promise<GoalStatus> {
    return new Promise((resolve, reject) => {
      const turn = this.take(key, async () => {
        const status = await effect();
        const remark = this.#unrecorded.get(key);
        resolve(remark === undefined ? status : { ...status, detail: `${status.detail}; ${remark}` });
        if (status.observed !== 'unknown') await this.#record(key, record);
      });
      turn.catch(reject); // the effect's own error: what comes after the status throws nothing
    });
  }

  async #record(key: string, record: () => Promise<void>): Promise<void> {
    try {
      await record();
      this.#unrecorded.delete(key);
    } catch (error) {
      this.#unrecorded.set(key, `epoch not recorded: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

import type { AuthorityStore } from '../../apps/controller/src/persistence/authority-store.port.js';
import { CrashedHere } from '../../apps/controller/src/saga/crash-point.js';

/** A process that dies at its n-th transaction: before anything was written, or after all of it was and nobody was told. */
export function dyingAt(transaction: number, when: 'before' | 'after', died: () => void) {
  return (store: AuthorityStore): AuthorityStore => {
    let count = 0;
    let dead = false;
    const transact: AuthorityStore['transact'] = async (term, holder, work) => {
      count += 1;
      const here = count === transaction;
      if (dead || (here && when === 'before')) {
        dead = true;
        died();
        throw new CrashedHere(`before transaction ${count}`);
      }
      const result = await store.transact(term, holder, work);
      if (!here) return result;
      dead = true;
      died();
      throw new CrashedHere(`after transaction ${count}`);
    };
    return new Proxy(store, {
      get(target, key) {
        if (key === 'transact') return transact;
        const member: unknown = Reflect.get(target, key);
        return typeof member === 'function' ? (member as (...args: unknown[]) => unknown).bind(target) : member;
      },
    });
  };
}

import type { SwitchingEvents } from './client.types.js';

type Listener<E extends keyof SwitchingEvents> = (value: SwitchingEvents[E]) => void;

export type Emit = <E extends keyof SwitchingEvents>(event: E, value: SwitchingEvents[E]) => void;

/** Events that cannot break a switch: a listener that throws is told to the process, not to the switching code. */
export function createEvents() {
  const listeners: { [E in keyof SwitchingEvents]: Set<Listener<E>> } = {
    pointer: new Set(),
    switching: new Set(),
    switched: new Set(),
    blocked: new Set(),
    stale: new Set(),
    paused: new Set(),
    resumed: new Set(),
    warning: new Set(),
  };
  const emit: Emit = (event, value) => {
    for (const listener of [...listeners[event]]) {
      try {
        listener(value);
      } catch (e) {
        queueMicrotask(() => {
          throw e;
        });
      }
    }
  };
  const on = <E extends keyof SwitchingEvents>(event: E, listener: Listener<E>) => {
    listeners[event].add(listener);
    return () => {
      listeners[event].delete(listener);
    };
  };
  return { emit, on };
}

/** Holds every asynchronous call at the gate, on the way out and on the way back. */
export function gated<T extends object>(target: T, gate: () => Promise<void>): T {
  return new Proxy(target, {
    get(inner, key) {
      const member = bindTo(inner, key);
      if (typeof member !== 'function' || SYNCHRONOUS.has(String(key))) return member;
      return async (...args: unknown[]): Promise<unknown> => {
        await gate();
        const result: unknown = await Reflect.apply(member, undefined, args);
        await gate();
        return result;
      };
    },
  });
}

const SYNCHRONOUS = new Set(['agentsFor', 'setGoals', 'goalStatus', 'sessions', 'watch']);

export function bindTo(target: object, key: string | symbol): unknown {
  const member: unknown = Reflect.get(target, key);
  if (typeof member !== 'function') return member;
  const method: (...args: unknown[]) => unknown = member as (...args: unknown[]) => unknown;
  return method.bind(target);
}

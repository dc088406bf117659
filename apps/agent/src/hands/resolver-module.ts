import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Conflict, Resolution, ResolverOptions } from '#failover';

const resolution = z.discriminatedUnion('take', [
  z.strictObject({ take: z.literal('tail') }),
  z.strictObject({ take: z.literal('current') }),
  z.strictObject({ take: z.literal('merged'), text: z.string() }),
]);

export class ResolverModuleError extends Error {
  readonly code = 'POINTSMAN_RESOLVER';
}

/**
 * The operator's own rule: an ES module named in the agent's configuration, never by a command, with `export function
 * resolve(conflict)`. What it answers is checked before anything is written.
 */
export async function loadResolver(path: string | undefined): Promise<NonNullable<ResolverOptions['custom']>> {
  if (path === undefined) {
    throw new ResolverModuleError(
      'strategy custom: name the module under tail.resolverModule in the agent’s configuration',
    );
  }
  const loaded: unknown = await import(pathToFileURL(path).href);
  const resolve =
    typeof loaded === 'object' && loaded !== null && 'resolve' in loaded && typeof loaded.resolve === 'function'
      ? (loaded.resolve as (conflict: Conflict) => unknown)
      : null;
  if (resolve === null) throw new ResolverModuleError(`${path} has no \`export function resolve(conflict)\``);
  return (conflict): Resolution => {
    const answer = resolution.safeParse(resolve(conflict));
    if (answer.success) return answer.data;
    throw new ResolverModuleError(`${path}: for key ${conflict.key} of ${conflict.topic} it answered no resolution`, {
      cause: answer.error,
    });
  };
}

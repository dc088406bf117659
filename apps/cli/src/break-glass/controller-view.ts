import type { ConfigCenterSpec } from '#config-center';
import type { WatchGroup } from '#failover';
import { askApp } from '../commands/ask-app.js';
import { kindOf } from '../commands/check-config.js';
import { CliError, EXIT } from '../exit-codes.js';

/** A group as a controller's file has it. */
export type FileGroup = Readonly<{ watch: Omit<WatchGroup, 'active' | 'epoch'>; publishTo: readonly string[] }>;
export type FileCenter = Readonly<{ spec: ConfigCenterSpec; isStore: boolean }>;

/** What break-glass needs of a controller's file, as `apps/controller/src/config/break-glass.ts` prints it. */
export type ControllerView = Readonly<{
  dataDir: string;
  keyFile: string | null;
  clusters: readonly Readonly<{ name: string; bootstrapServers: readonly string[] }>[];
  centers: readonly FileCenter[];
  groups: readonly FileGroup[];
}>;

export type Files = Readonly<{ controller: string; agents: readonly string[] }>;

const usage = (message: string): CliError => new CliError(message, EXIT.usage);

/** One controller's file says where the pointer lies; agents' files, if any, hold the credentials for clusters. */
export function sortFiles(files: readonly string[]): Files {
  const kinds = files.map((file) => ({ file, target: kindOf(file) }));
  const unreadable = kinds.flatMap(({ file, target }) =>
    'unreadable' in target ? [`${file}: ${target.unreadable}`] : [],
  );
  if (unreadable.length > 0) throw usage(unreadable.join('\n'));
  const of = (kind: string) =>
    kinds.flatMap(({ file, target }) => ('kind' in target && target.kind === kind ? [file] : []));
  const [controller, ...more] = of('Controller');
  if (controller === undefined)
    throw usage(
      'give a controller’s file with --config: it says where the pointer lies (a copy of it serves on an agent’s host)',
    );
  if (more.length > 0) throw usage(`one controller’s file is enough: ${[controller, ...more].join(', ')}`);
  return { controller, agents: of('Agent') };
}

/** @throws CliError with one line per problem of the file */
export async function readController(file: string, signal: AbortSignal): Promise<ControllerView> {
  const { refused, lines } = await askApp('Controller', 'config/break-glass', file, { signal });
  if (refused) throw usage(lines.join('\n'));
  return JSON.parse(lines.join('')) as ControllerView;
}

export type Chosen = Readonly<{
  group: FileGroup;
  centers: readonly FileCenter[]; // the first is authoritative
  bootstrapServers: readonly string[]; // of the target, as clients reach it
}>;

/** @throws CliError naming what the file has instead */
export function choose(view: ControllerView, name: string, target: string): Chosen {
  const group = view.groups.find((g) => g.watch.name === name);
  if (group === undefined)
    throw usage(`no group ${name} in the file; it has ${view.groups.map((g) => g.watch.name).join(', ')}`);
  if (!group.watch.clusters.includes(target))
    throw usage(`${target} is no cluster of ${name}; its clusters are ${group.watch.clusters.join(', ')}`);
  const { bootstrapServers } = view.clusters.find((c) => c.name === target) ?? { bootstrapServers: [] };
  return { group, centers: centersOf(view, group), bootstrapServers };
}

/** In the group's own order: the first is authoritative. */
export const centersOf = (view: ControllerView, { publishTo }: FileGroup): readonly FileCenter[] =>
  publishTo.flatMap((name) => view.centers.filter(({ spec }) => spec.name === name));

import { readdirSync, readFileSync } from 'node:fs';

export const RUN_ID_VARIABLE = 'POINTSMAN_RUN_ID';

/** `pids` and everything below them, parents first. PostgreSQL answers from its children: freezing only the parent freezes nothing. */
export function withDescendants(pids: readonly number[]): number[] {
  const children = new Map<number, number[]>();
  for (const { pid, parent } of processTable()) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const found: number[] = [];
  const queue = [...pids];
  for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
    if (found.includes(pid)) continue;
    found.push(pid);
    queue.push(...(children.get(pid) ?? []));
  }
  return found;
}

/** Living processes that carry this run id, as `pid command`. */
export function processesOfRun(runId: string): string[] {
  return processTable()
    .filter(({ pid, state }) => pid !== process.pid && state !== 'Z' && state !== 'X' && carriesRunId(pid, runId))
    .map(({ pid }) => `${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').slice(0, 160).trim()}`);
}

function carriesRunId(pid: number, runId: string): boolean {
  return read(`/proc/${pid}/environ`).split('\0').includes(`${RUN_ID_VARIABLE}=${runId}`);
}

type Stat = { readonly pid: number; readonly parent: number; readonly state: string };

function processTable(): Stat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => parseStat(read(`/proc/${name}/stat`)))
    .filter((stat) => stat !== undefined);
}

function parseStat(text: string): Stat | undefined {
  // The command may hold spaces and brackets: the fields after it start behind the last ')'.
  const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (text === '' || state === undefined || parent === undefined) return undefined;
  return { pid: Number.parseInt(text, 10), parent: Number(parent), state };
}

/** Empty for a process that ended meanwhile or belongs to somebody else: neither is one of ours. */
function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

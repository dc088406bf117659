import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { formatPointer, parsePointerText } from '#config-center';
import type { Pointer } from '#config-center';

/** The pointer kept on disk, or null if there is no file yet. Throws if the file is not a pointer of this group. */
export function readStateFile(path: string, group: string): Pointer | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw e;
  }
  const pointer = parsePointerText(text, path);
  if (pointer.group !== group) throw new Error(`${path} keeps a pointer of group ${pointer.group}, not ${group}`);
  return pointer;
}

/** Replaces the file in one step: a crash leaves the old pointer or the new one, never half of one. */
export async function writeStateFile(path: string, pointer: Pointer): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(`${formatPointer(pointer)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

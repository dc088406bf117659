import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { onSmallDisk } from '../small-disk.spec-helper.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pointsman-atomic-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const script = (path: string): string => `
  import { readFileSync } from 'node:fs';
  import { AtomicFile } from './module.js';
  const schema = { safeParse: (data) => ({ success: true, data }) };
  const file = new AtomicFile(${JSON.stringify(path)}, schema, null);
  const tried = (value) => { try { file.write(value); return 'written'; } catch (error) { return error.code; } };
  const long = 'x'.repeat(5_000);
  const now = () => readFileSync(${JSON.stringify(path)}, 'utf8');
  console.log(JSON.stringify([tried('old'), tried(long), now(), tried(long), now(), tried('new')]));
`;

describe('AtomicFile on a disk with room for half of the content', () => {
  it('says so each time, keeps the old content, and takes the next one that fits', async () => {
    const path = join(dir, 'goals.json');
    const module = new URL('./atomic-file.ts', import.meta.url);
    const told = await onSmallDisk(dir, module, 4_096, script(path));
    expect(told).toEqual(['written', 'POINTSMAN_AGENT_DISK', '"old"', 'POINTSMAN_AGENT_DISK', '"old"', 'written']);
    expect(readFileSync(path, 'utf8')).toBe('"new"');
  });
});

import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HookError } from './hook-command.js';
import { HookJournal } from './hook-journal.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hook-journal-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('HookJournal', () => {
  it('keeps each of the groups that close and open a cluster at once', async () => {
    const journal = new HookJournal(dir);
    await journal.add('a', 'old');
    await Promise.all([journal.add('a', 'shop'), journal.remove('a', 'old'), journal.add('a', 'bills')]);
    expect(await new HookJournal(dir).groups('a')).toEqual(['shop', 'bills']);
  });

  it('leaves the disk alone when nothing is new', async () => {
    const journal = new HookJournal(dir);
    await journal.add('a', 'shop');
    const { ino } = await stat(join(dir, 'fence-hook.json'));
    await journal.add('a', 'shop');
    await journal.remove('a', 'bills');
    expect((await stat(join(dir, 'fence-hook.json'))).ino).toBe(ino);
  });

  it('remembers nothing that the disk did not take', async () => {
    const journal = new HookJournal(dir);
    await mkdir(join(dir, 'fence-hook.json.draft')); // nothing can be written there
    await expect(journal.add('a', 'shop')).rejects.toBeInstanceOf(HookError);
    expect(await journal.groups('a')).toEqual([]);
  });
});

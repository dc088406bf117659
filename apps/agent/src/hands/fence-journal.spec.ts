import { mkdir, mkdtemp, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FenceJournal, FenceJournalError } from './fence-journal.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fence-journal-'));
});
afterEach(() => rm(dir, { recursive: true }));

const records = (values: Readonly<Record<string, string | null>>) =>
  new Map(Object.entries(values).map(([topic, previous]) => [topic, { group: 'g', previous }]));

describe('FenceJournal', () => {
  it('survives a restart and keeps the first value seen', async () => {
    await new FenceJournal(dir).add('a', records({ t: null, u: '7' }));
    const again = new FenceJournal(dir);
    await again.add('a', records({ t: '9', v: null }));
    expect(await new FenceJournal(dir).of('a')).toEqual(records({ t: null, u: '7', v: null }));
    expect(await again.of('b')).toEqual(new Map());
  });

  it('forgets what was restored, and leaves no draft behind', async () => {
    const journal = new FenceJournal(dir);
    await journal.add('a', records({ t: null, u: '7' }));
    await journal.remove('a', ['t']);
    expect(await new FenceJournal(dir).of('a')).toEqual(records({ u: '7' }));
    expect(await readdir(dir)).toEqual(['fence-journal.json']);
  });

  it('keeps all of several writes at once', async () => {
    const journal = new FenceJournal(dir);
    await Promise.all(['a', 'b', 'c'].map((cluster) => journal.add(cluster, records({ t: cluster }))));
    const again = new FenceJournal(dir);
    expect(await Promise.all(['a', 'b', 'c'].map(async (c) => (await again.of(c)).get('t')?.previous))).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  it('keeps what two groups record at once on one cluster, and what one records while the other forgets', async () => {
    const journal = new FenceJournal(dir);
    await journal.add('a', records({ old: '1000' }));
    await Promise.all([
      journal.add('a', records({ t: '5000000' })),
      journal.remove('a', ['old']),
      journal.add('a', records({ u: '7' })),
    ]);
    expect(await new FenceJournal(dir).of('a')).toEqual(records({ t: '5000000', u: '7' }));
  });

  it('leaves the disk alone when nothing is new', async () => {
    const journal = new FenceJournal(dir);
    const file = join(dir, 'fence-journal.json');
    await journal.add('a', records({ t: '7' }));
    const { ino } = await stat(file);
    await journal.add('a', records({ t: '8' }));
    await journal.add('a', new Map());
    await journal.remove('a', ['other']);
    expect((await stat(file)).ino).toBe(ino); // a write would have put another file in its place
  });

  it('remembers nothing that the disk did not take', async () => {
    const journal = new FenceJournal(dir);
    const draft = join(dir, 'fence-journal.json.draft');
    await mkdir(draft); // nothing can be written there
    await expect(journal.add('a', records({ t: '7' }))).rejects.toBeInstanceOf(FenceJournalError);
    expect(await journal.of('a')).toEqual(new Map());
    await rmdir(draft);
    await journal.add('a', records({ t: '7' }));
    expect(await new FenceJournal(dir).of('a')).toEqual(records({ t: '7' }));
  });

  it('sees and keeps what another process wrote: break-glass fences beside a running agent', async () => {
    const [agent, breakGlass] = [new FenceJournal(dir), new FenceJournal(dir)];
    await agent.add('a', records({ t: '7' }));
    await breakGlass.add('a', records({ u: '8' }));
    expect(await agent.of('a')).toEqual(records({ t: '7', u: '8' }));
    await agent.remove('a', ['t']);
    expect(await new FenceJournal(dir).of('a')).toEqual(records({ u: '8' }));
  });

  it('refuses a damaged file: fencing without the previous values would lose them', async () => {
    await writeFile(join(dir, 'fence-journal.json'), '{"version":1,');
    await expect(new FenceJournal(dir).of('a')).rejects.toBeInstanceOf(FenceJournalError);
  });
});

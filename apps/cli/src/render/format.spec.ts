import { parseAllDocuments } from 'yaml';
import { describe, expect, it } from 'vitest';
import { type Format, shaperOf } from './format.js';

async function shape(format: Format, ...bodies: readonly unknown[]): Promise<string> {
  const shaper = await shaperOf(format);
  if (shaper === null) throw new Error(`${format} is printed as it comes`);
  return bodies.flatMap((body) => shaper(JSON.stringify(body)) ?? []).join('\n');
}

describe('-o tsv', () => {
  it('gives a row per item, members with dots, lists joined', async () => {
    const groups = [
      {
        group: 'orders',
        leader: { id: 'ctl-a', term: 3 },
        reasons: ['a', 'b'],
        blockers: [{ name: 'X' }],
        pause: null,
      },
      { group: 'pay', leader: null, reasons: [], blockers: [] },
    ];
    expect((await shape('tsv', { groups, time: 'now' })).split('\n')).toEqual([
      'group\tleader.id\tleader.term\treasons\tblockers\tpause\tleader',
      'orders\tctl-a\t3\ta,b\t[{"name":"X"}]\t\t',
      'pay\t\t\t\t\t\t',
    ]);
  });

  it('gives one row for a body without a list, and the first list of a body with several', async () => {
    expect(await shape('tsv', { group: 'orders', dryRun: false })).toBe('group\tdryRun\norders\tfalse');
    const two = { group: 'orders', unwrapped: [], clients: [{ name: 'x' }], rereads: [{ records: 4 }] };
    expect(await shape('tsv', two)).toBe('name\nx');
  });

  it('prints nothing for an empty list, and its columns with the first item', async () => {
    expect(await shape('tsv', { events: [] })).toBe('');
    expect(await shape('tsv', { events: [] }, { events: [{ seq: 1 }] })).toBe('seq\n1');
  });

  it('keeps its columns when more comes, and one row one line', async () => {
    const first = { seq: 1, summary: 'a\tb\nc\\' };
    expect((await shape('tsv', first, { summary: 'later', seq: 2, more: true })).split('\n')).toEqual([
      'seq\tsummary',
      '1\ta\\tb\\nc\\\\',
      '2\tlater',
    ]);
  });
});

describe('-o yaml', () => {
  it('says the same as the JSON, a document each', async () => {
    const bodies = [{ group: 'orders', at: '2026-11-20T14:02:31Z', epoch: 7 }, { text: `${'long '.repeat(60)}` }];
    const text = await shape('yaml', ...bodies);
    expect([...parseAllDocuments(text)].map((d) => d.toJS() as unknown)).toEqual(bodies);
  });
});

it('table and json are printed as they come', async () => {
  expect(await shaperOf('table')).toBeNull();
  expect(await shaperOf('json')).toBeNull();
});

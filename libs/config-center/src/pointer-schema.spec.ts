import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { aPointer } from './config-center.conformance.js';
import { openConfigCenter } from './open-config-center.js';
import type { ConfigCenterSpec } from './center-spec.js';
import { formatPointer, parsePointer, parsePointerText, samePointer } from './pointer-schema.js';

describe('the pointer schema', () => {
  it('reads what it writes, and drops fields of a later version', () => {
    const pointer = aPointer('orders', 8, 3, { mode: 'DRAIN', maxMs: 2_000 });
    expect(parsePointerText(formatPointer(pointer), 'here')).toEqual(pointer);
    expect(parsePointer({ ...pointer, added: 'later' }, 'here')).toEqual(pointer);
  });

  it('says everything that is wrong, and where it lay', () => {
    const broken = {
      ...aPointer('orders', 8, 3),
      mode: 'UP',
      epoch: 0,
      bootstrapServers: [],
      publishedAt: 'yesterday',
    };
    expect(() => parsePointer(broken, 'the row of orders')).toThrow(
      /the row of orders.*mode: .*epoch: .*bootstrapServers: .*publishedAt: /,
    );
    expect(() => parsePointer({ ...aPointer('orders', 8, 3), mode: 'HOLD' }, 'x')).toThrow(
      /maxMs: DRAIN and HOLD need/,
    );
    expect(() => parsePointerText('<html>', 'x')).toThrow(/not JSON: <html>/);
    expect(() => parsePointer(null, 'x')).toThrow(/not a pointer/);
  });

  it('calls pointers the same whatever the clock said at their publication', () => {
    const pointer = aPointer('orders', 8, 3);
    expect(samePointer(pointer, { ...pointer, publishedAt: '2027-01-01T00:00:00Z' })).toBe(true);
    expect(samePointer(pointer, { ...pointer, activeCluster: 'b' })).toBe(false);
    expect(samePointer(pointer, { ...pointer, term: 4 })).toBe(false);
  });
});

describe('opening a config center', () => {
  it('takes the URL from a file and connects only when asked', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'pointsman-center-'));
    writeFileSync(join(dir, 'url'), 'postgres://u:p@127.0.0.1:1/d\n');
    const center = openConfigCenter({ name: 'main', type: 'sql', urlFile: join(dir, 'url'), deadlineMs: 500 });
    await expect(center.read('orders')).rejects.toMatchObject({ code: 'CENTER_UNREACHABLE' });
    await center.close();
    const etcd = openConfigCenter({ name: 'main', type: 'etcd', endpoints: ['http://127.0.0.1:1'], deadlineMs: 500 });
    await expect(etcd.read('orders')).rejects.toMatchObject({ code: 'CENTER_UNREACHABLE' });
    await etcd.close();
    rmSync(dir, { recursive: true });
  });

  it('says what is wrong with an entry', () => {
    expect(() => openConfigCenter({ name: 'main', type: 'sql' })).toThrow(/main: .*needs url or urlFile/);
    expect(() => openConfigCenter({ name: 'main', type: 'sql', urlFile: '/nowhere/url' })).toThrow(
      /cannot read \/nowhere/,
    );
    const wrong = { name: 'main', type: 'etcd', endpoints: [] } as unknown as ConfigCenterSpec;
    expect(() => openConfigCenter(wrong)).toThrow(/endpoints/);
  });
});

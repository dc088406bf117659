import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ConfigError, readConfigText } from './load-config-file.js';
import { readText } from './read-text.js';

const dir = mkdtempSync(join(tmpdir(), 'pointsman-read-'));
afterAll(() => rmSync(dir, { recursive: true }));

it('gives the whole text, also over the bounds of its chunks', () => {
  const text = 'é'.repeat(100_000); // two bytes each
  const file = join(dir, 'long.yaml');
  writeFileSync(file, `x${text}`);
  expect(readText(file)).toBe(`x${text}`);
});

it('an endless file is refused in words', () => {
  expect(() => readConfigText('/dev/zero')).toThrow(ConfigError);
  expect(() => readConfigText('/dev/zero')).toThrow('larger than 8 MiB; name a readable file with --config');
});

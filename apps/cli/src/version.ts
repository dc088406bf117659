import { existsSync, readFileSync } from 'node:fs';

/**
 * The version in the package's own package.json. Not by `#platform`, which knows it too: loading that library takes longer than
 * all the rest of `pointsman --version`.
 */
export function cliVersion(): string {
  const places = ['../../../package.json', '../../../../package.json'].map((path) => new URL(path, import.meta.url));
  const place = places.find((url) => existsSync(url));
  if (place === undefined) throw new Error('package.json not found above the running file');
  return String((JSON.parse(readFileSync(place, 'utf8')) as { version: unknown }).version);
}

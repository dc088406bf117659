import { readFileSync } from 'node:fs';

/** The version in the package's own package.json: one place to raise. */
export function packageVersion(): string {
  for (let url = new URL('.', import.meta.url); url.pathname !== '/'; url = new URL('..', url)) {
    try {
      const json: unknown = JSON.parse(readFileSync(new URL('package.json', url), 'utf8'));
      if (typeof json === 'object' && json !== null && 'version' in json) return String(json.version);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  throw new Error('package.json not found above the running file');
}

import { readFileSync } from 'node:fs';

let known: string | null = null;

/** The version in the package's own package.json: one place to raise. Read once: it is asked for at every heartbeat. */
export const packageVersion = (): string => (known ??= readVersion());

function readVersion(): string {
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

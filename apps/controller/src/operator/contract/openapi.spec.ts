import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openApiDocument } from './openapi.js';
import { ALL_ROUTES } from './routes.js';
import { problemExample } from './examples/problem.example.js';
import { PROBLEM_CODES, PROBLEMS } from './problem-codes.js';
import { problem } from './schemas/problem.schema.js';

describe('the table of routes', () => {
  it('names each call once', () => {
    const ids = ALL_ROUTES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(ALL_ROUTES.map((route) => [route.id, route] as const))('%s: its examples fit its schemas', (_, route) => {
    if (route.body !== undefined) route.body.schema.parse(route.body.example);
    for (const answer of route.answers) answer.schema?.parse(answer.example);
  });

  it('asks for a body and a key wherever something is acted upon', () => {
    const writes = ALL_ROUTES.filter(({ kind }) => kind !== 'read');
    expect(writes.filter(({ method }) => method !== 'POST')).toEqual([]);
    const acts = writes.filter(({ path }) => path.startsWith('/v1/groups/') || path.startsWith('/v1/sagas/'));
    expect(acts.filter(({ body }) => body === undefined)).toEqual([]);
  });
});

describe('problems', () => {
  it.each(PROBLEM_CODES)('%s: its example fits the schema', (code) => {
    problem.parse(problemExample(code));
  });
});

describe('the document', () => {
  const document = openApiDocument();
  const text = JSON.stringify(document);

  it('refers to nothing that is not in it', () => {
    for (const [, pointer = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      let at: unknown = document;
      for (const part of pointer.split('/')) at = (at as Readonly<Record<string, unknown>>)[part];
      expect(at).toBeTypeOf('object');
    }
  });

  it('is the same at every call', () => {
    expect(JSON.stringify(openApiDocument())).toBe(text);
  });

  it('says every code that a problem may have', () => {
    for (const code of Object.keys(PROBLEMS)) expect(text).toContain(`"urn:pointsman:problem:${code}"`);
  });
});

describe('docs/api.md', () => {
  it('shows every problem with its status', () => {
    const page = readFileSync(new URL('../../../../../docs/api.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| (\d{3}) +\| (.+?) +\| .+\|$/gm)].flatMap(([, status = '', codes = '']) =>
      [...codes.matchAll(/`(\w+)`/g)].map(([, code = '']) => `${status} ${code}`),
    );
    expect(rows.toSorted()).toEqual(
      Object.entries(PROBLEMS)
        .map(([code, { status }]) => `${status} ${code}`)
        .toSorted(),
    );
  });
});

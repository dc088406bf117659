import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

// A map that lies costs more than no map.
const ROOT = new URL('../../', import.meta.url).pathname;
const text = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');

const TOP = /^(apps|libs|tools|test|docs|proto|examples|deploy)(\/|$)|^\.dependency-cruiser/;
const quoted = (line: string): string[] => [...line.matchAll(/`([^`]+)`/g)].flatMap((m) => m[1] ?? []);
const isPath = (token: string): boolean => TOP.test(token);
const folders = (dir: string): string[] =>
  readdirSync(join(ROOT, dir), { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? [`${dir}/${e.name}`] : []));

const section = (title: string): string => {
  const found = text.split(/^## /m).find((part) => part.startsWith(title));
  if (found === undefined) throw new Error(`docs/architecture.md has no section "${title}"`);
  return found;
};

describe('docs/architecture.md', () => {
  it('names only paths that exist', () => {
    const paths = quoted(text).filter(isPath);
    expect(paths.length).toBeGreaterThan(60);
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('has every folder of the product on its map', () => {
    const rooms = [...folders('libs'), ...['agent', 'controller', 'cli'].flatMap((app) => folders(`apps/${app}/src`))];
    const named = new Set(quoted(section('The map')));
    expect(rooms.filter((room) => !named.has(room))).toEqual([]);
  });

  it("follows the sample's way in ten lines through names that are in the files", () => {
    const steps = section('The way of a sample')
      .split('\n')
      .filter((line) => /^\d+\. /.test(line));
    expect(steps).toHaveLength(10);
    const lost = steps.flatMap((step) => {
      const tokens = quoted(step);
      const sources = tokens.filter(isPath).map((path) => readFileSync(join(ROOT, path), 'utf8'));
      return tokens.filter((token) => !isPath(token) && !sources.some((source) => source.includes(token)));
    });
    expect(lost).toEqual([]);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { z } from 'zod';
import { checkoutRoot } from '#lab';
import { agentSchema } from '../../apps/agent/src/config/schema.js';
import { controllerSchema } from '../../apps/controller/src/config/schema.js';

const page = readFileSync(join(checkoutRoot(), 'docs/configuration.md'), 'utf8');

/** Every path of a schema, as the page writes it: `groups[].policy.windows.gray`. */
function pathsOf(schema: z.core.$ZodType, at = ''): readonly string[] {
  const { def } = schema._zod as Readonly<{ def: z.core.$ZodTypes['_zod']['def'] }>;
  if ('innerType' in def) return pathsOf(def.innerType, at);
  if (def.type === 'union') return [...new Set(def.options.flatMap((option) => pathsOf(option, at)))];
  if (def.type === 'object') {
    return Object.entries(def.shape).flatMap(([key, inner]) => pathsOf(inner, at === '' ? key : `${at}.${key}`));
  }
  if (def.type !== 'array') return [at];
  const inner = pathsOf(def.element, `${at}[]`);
  return inner.length === 1 && inner[0] === `${at}[]` ? [at] : inner;
}

const section = (title: string): readonly string[] => {
  const text = page.split(/^## /m).find((part) => part.startsWith(title)) ?? '';
  const keys = text.split('\n').map((line) => line.split('|')[1] ?? '');
  return keys.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''));
};

it.each([
  ['Controller', controllerSchema],
  ['Agent', agentSchema],
])('docs/configuration.md names every key of the %s and no other', (title, schema) => {
  expect(section(title).toSorted()).toEqual([...new Set(pathsOf(schema))].toSorted());
});

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { duration } from './duration.js';
import { explainConfig } from './explain-config.js';
import { parseConfig } from './load-config-file.js';
import { maskSecrets } from './mask-secrets.js';

const schema = z.strictObject({
  url: z.string(),
  wait: duration()
    .refine((ms) => ms > 1)
    .default(90_000),
  lease: z.strictObject({ ttl: duration().default(10_000), tries: z.number().default(3) }).prefault({}),
  names: z.array(z.string()).default([]),
  centers: z.array(
    z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('sql'), every: duration().default(500) }),
      z.strictObject({ type: z.literal('etcd'), port: z.number().default(1) }),
    ]),
  ),
  absent: z.string().optional(),
});

const explain = (text: string) => explainConfig(text, 'c.yaml', schema, parseConfig(text, 'c.yaml', schema));

it('tells every key in force, as it would be written, with its origin', () => {
  const text =
    'url: postgres://u:secret@db:5432/x\nlease:\n  ttl: 12s\ncenters:\n  - {type: sql}\n  - {type: etcd, port: 7}\n';
  expect(explain(text).map(({ path, value, origin }) => `${path} = ${value} (${origin})`)).toEqual([
    'url = postgres://u:***@db:5432/x (c.yaml:1:1)',
    'wait = 90s (default)',
    'lease.ttl = 12s (c.yaml:3:3)',
    'lease.tries = 3 (default)',
    'names = [] (default)',
    'centers[0].type = sql (c.yaml:5:6)',
    'centers[0].every = 500ms (default)',
    'centers[1].type = etcd (c.yaml:6:6)',
    'centers[1].port = 7 (c.yaml:6:18)',
  ]);
});

describe('maskSecrets', () => {
  it.each([
    ['postgres://u:p@h:1/d', 'postgres://u:***@h:1/d'],
    ['https://h/path?key=s3cret', 'https://h/path?***'],
    ['https://hooks.example/a', 'https://hooks.example/a'],
    ['/etc/pointsman/store.url', '/etc/pointsman/store.url'],
    ['ftp://not an address:x@', '***'],
  ])('%s is shown as %s', (text, shown) => expect(maskSecrets(text)).toBe(shown));
});

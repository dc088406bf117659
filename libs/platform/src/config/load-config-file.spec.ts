import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { duration, formatDuration, parseDurationMs } from './duration.js';
import { ConfigError, parseConfig } from './load-config-file.js';

const schema = z.strictObject({
  name: z.string(),
  windows: z.strictObject({ attested: duration(), service: duration() }),
  list: z.array(z.strictObject({ port: z.number() })).default([]),
});

const problemsOf = (text: string, check?: Parameters<typeof parseConfig<typeof schema>>[3]): string[] => {
  try {
    parseConfig(text, 'c.yaml', schema, check);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
};

describe('parseConfig', () => {
  it('gives parsed values with durations in milliseconds', () => {
    const value = parseConfig('name: x\nwindows: {attested: 20s, service: 1.5m}\n', 'c.yaml', schema);
    expect(value.windows).toEqual({ attested: 20_000, service: 90_000 });
  });

  it('names file, line and column of every problem at once', () => {
    const text = 'name: 3\nwindows:\n  attested: 20 seconds\n  service: 30s\n  servise: 30s\nlist:\n  - port: x\n';
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^c\.yaml:1:1 name: /),
      expect.stringMatching(/^c\.yaml:3:3 windows\.attested: expected a duration/),
      'c.yaml:5:3 windows.servise: unknown key: check its spelling and place',
      expect.stringMatching(/^c\.yaml:7:5 list\[0\]\.port: /),
    ]);
  });

  it('points at the parent of what is missing', () => {
    expect(problemsOf('name: x\nwindows:\n  attested: 1s\n')[0]).toMatch(/^c\.yaml:2:1 windows\.service: /);
  });

  it('reports broken YAML with its place', () => {
    expect(problemsOf('name: [x\n')[0]).toMatch(/^c\.yaml:\d+:\d+ /);
  });

  it('places broken cross-field rules', () => {
    const found = problemsOf('name: x\nwindows: {attested: 20s, service: 10s}\n', (v) =>
      v.windows.service < v.windows.attested
        ? [{ path: ['windows', 'service'], message: 'shorter than attested' }]
        : [],
    );
    expect(found).toEqual(['c.yaml:2:26 windows.service: shorter than attested']);
  });
});

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['1h', 3_600_000],
    ['30', null],
    ['-1s', null],
    ['s', null],
  ])('%s is %s ms', (text, ms) => expect(parseDurationMs(text)).toBe(ms));

  it('formats what it parses', () =>
    expect([500, 1500, 60_000, 7_200_000, 172_800_000].map(formatDuration)).toEqual([
      '500ms',
      '1500ms',
      '60s',
      '2h',
      '2d',
    ]));
});

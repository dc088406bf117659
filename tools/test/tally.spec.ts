import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sum, tally } from './tally.js';

const dir = mkdtempSync(join(tmpdir(), 'pointsman-tally-'));
afterAll(() => rmSync(dir, { recursive: true }));

function reportOf(...testResults: readonly object[]): string {
  const file = join(dir, `${Math.random()}.json`);
  writeFileSync(file, JSON.stringify({ testResults: testResults.map((r) => ({ startTime: 0, endTime: 1, ...r })) }));
  return file;
}
const ended = (fullName: string, status: string, ...failureMessages: string[]) => ({
  fullName,
  status,
  failureMessages,
});

describe('the tally of a report', () => {
  it('counts, and says of each failure and each retry where, which and why, without colours', () => {
    const assertionResults = [
      ended('holds', 'passed'),
      ended('holds at last', 'passed', 'Error: not yet'),
      ended('a lease ends', 'failed', '\u001b[31mAssertionError\u001b[39m: expected 1 to be 2\n  at lease.spec.ts:3'),
      ended('for another system', 'skipped'),
    ];
    const name = resolve('libs/x/lease.spec.ts');
    expect(tally('unit', reportOf({ name, status: 'failed', message: '', assertionResults }))).toEqual({
      passed: 2,
      failed: 1,
      skipped: 1,
      remarks: [
        'NEEDED A RETRY libs/x/lease.spec.ts: holds at last\n  Error: not yet\n',
        'FAILED libs/x/lease.spec.ts: a lease ends\n  AssertionError: expected 1 to be 2\n    at lease.spec.ts:3\n',
      ],
    });
  });

  it('counts a file that did not load as a failure', () => {
    const broken = {
      name: resolve('libs/x/a.spec.ts'),
      status: 'failed',
      message: 'no such file',
      assertionResults: [],
    };
    const one = tally('unit', reportOf(broken));
    expect(one).toMatchObject({
      passed: 0,
      failed: 1,
      remarks: ['FAILED libs/x/a.spec.ts: did not load\n  no such file\n'],
    });
    expect(sum(one, one).remarks).toHaveLength(2);
  });
});

import { describe, expect, it } from 'vitest';
import type { AuthorityStore } from '../../persistence/authority-store.port.js';
import type { TokenRow } from '../../persistence/tokens.port.js';
import { TokenBook, tokenHash } from './token-book.js';

const row = (token: string): TokenRow => ({
  ...{ id: token, name: token, role: 'viewer', hash: tokenHash(token), revokedAt: null },
  ...{ createdAt: '2026-11-20T08:00:00Z', createdBy: 'file-token', expiresAt: '2027-02-18T08:00:00Z' },
});
const NOW_MS = Date.parse('2026-11-20T14:00:00Z');

/** Answers each reading when the test says so, with what was there when it began. */
function slowStore() {
  const content: TokenRow[] = [];
  const answers: (() => void)[] = [];
  const tokens = (): Promise<readonly TokenRow[]> => {
    const seen = [...content];
    return new Promise((resolve) => answers.push(() => resolve(seen)));
  };
  const book = new TokenBook({ tokens } as Partial<AuthorityStore> as AuthorityStore);
  return { content, answers, book };
}

describe('a token made while the tokens are being read', () => {
  it('is known to the next caller, though the reading under way does not have it', async () => {
    const { content, answers, book } = slowStore();
    const old = book.valid('old', NOW_MS); // begins a reading of nothing
    content.push(row('new'));
    book.forget();
    const made = book.valid('new', NOW_MS);
    answers[1]?.();
    answers[0]?.(); // the older reading answers last
    expect(await made).toMatchObject({ name: 'new' });
    expect(await old).toBeNull();
    expect(await book.valid('new', NOW_MS)).toMatchObject({ name: 'new' });
    expect(answers).toHaveLength(2);
  });

  it('is read anew when the older reading ends first', async () => {
    const { content, answers, book } = slowStore();
    const old = book.valid('old', NOW_MS);
    content.push(row('new'));
    book.forget();
    answers[0]?.();
    await old;
    const made = book.valid('new', NOW_MS);
    answers[1]?.();
    expect(await made).toMatchObject({ name: 'new' });
  });

  it('callers of one moment share one reading', async () => {
    const { content, answers, book } = slowStore();
    content.push(row('a'));
    const both = [book.valid('a', NOW_MS), book.valid('b', NOW_MS)];
    answers[0]?.();
    expect((await Promise.all(both)).map((found) => found?.name ?? null)).toEqual(['a', null]);
    expect(answers).toHaveLength(1);
  });
});

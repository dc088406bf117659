import { createHash } from 'node:crypto';
import type { Json } from '#failover';
import type { AuditRow } from './authority-store.port.js';

/** What the first row of a chain names as its predecessor. */
export const FIRST_PREVIOUS_HASH = '0'.repeat(64);

/** Keys sorted at every depth, no white space: the same value gives the same text whatever wrote it. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/** SHA-256 (hex) over the row without its own hash; `previousHash` is part of it, which makes the chain. */
export function auditHash(row: Omit<AuditRow, 'hash'>): string {
  const { seq, at, actor, action, group, reason, detail, term, epoch, previousHash } = row;
  const covered = { seq, at, actor, action, group, reason, detail, term, epoch, previousHash };
  return createHash('sha256').update(canonicalJson(covered)).digest('hex');
}

export type AuditChainVerdict = Readonly<{ ok: true } | { ok: false; seq: number; reason: string }>;

/**
 * Checks rows in ascending order. A page from the middle is checked against its own first row, so a whole proof starts
 * at seq 1. NOT shown by it: rows cut off at the end (compare the last hash with one kept elsewhere).
 */
export function verifyAuditChain(rows: readonly AuditRow[]): AuditChainVerdict {
  let previous: AuditRow | null = null;
  for (const row of rows) {
    const bad = (reason: string): AuditChainVerdict => ({ ok: false, seq: row.seq, reason });
    if (previous && row.seq !== previous.seq + 1) return bad(`follows ${previous.seq}: rows are missing between`);
    const expected: string = previous?.hash ?? (row.seq === 1 ? FIRST_PREVIOUS_HASH : row.previousHash);
    if (row.previousHash !== expected) return bad('names another predecessor than the row before it');
    if (row.hash !== auditHash(row)) return bad('its content is not what was written');
    previous = row;
  }
  return { ok: true };
}

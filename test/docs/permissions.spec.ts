import { describe, expect, it } from 'vitest';
import { defaultAllows, type LabAllow } from '#lab';
import { documentedAllows } from './documented-acls.js';

// The lab's agents have what the document says, so that a missing right shows up in a test and not at an operator's site.
// A lab has other topics and consumer groups than the document's example: there `*` stands for "the group's own".
const GROUPS_OWN = new Set(['orders', 'pay-*', 'billing']);

const rightsOf = (allows: readonly LabAllow[], user: LabAllow['user']): string[] =>
  [
    ...new Set(
      allows
        .filter((a) => a.user === user)
        .flatMap((a) => a.operations.map((o) => `${a.resource} ${GROUPS_OWN.has(a.name) ? '*' : a.name} ${o}`)),
    ),
  ].toSorted();

describe('docs/kafka-permissions.md', () => {
  it.each(['agent', 'witness'] as const)('gives an %s the rights that the lab gives it', (user) => {
    const documented = rightsOf(documentedAllows(), user);
    expect(documented.length).toBeGreaterThan(4);
    expect(rightsOf(defaultAllows, user)).toEqual(documented);
  });

  it('lets the witness change nothing but its canary records', () => {
    const changing = /(ALTER|ALTER_CONFIGS|CREATE|WRITE)$/;
    expect(rightsOf(documentedAllows(), 'witness').filter((r) => changing.test(r))).toEqual([
      'topic pointsman-canary WRITE',
    ]);
  });

  it('lets no agent write to a topic that is not its own; rights are changed by a right that is asked for apart', () => {
    const rights = rightsOf(documentedAllows(), 'agent');
    expect(rights.filter((r) => r.endsWith('WRITE'))).toEqual(['topic pointsman-* WRITE']);
    expect(rights.filter((r) => r.startsWith('cluster'))).toEqual([
      'cluster kafka-cluster ALTER',
      'cluster kafka-cluster DESCRIBE',
      'cluster kafka-cluster DESCRIBE_CONFIGS',
    ]);
  });
});

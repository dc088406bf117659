import { beforeEach, describe, expect, it } from 'vitest';
import type { ClusterGoal } from '#failover';
import { KafkaCallError, type AclChange, type AclEntry, type ClusterAcls } from '#kafka';
import { GroupReaders } from './group-readers.js';

const entry = (over: Partial<AclChange> = {}): AclChange => ({
  resource: 'group',
  name: 'billing',
  pattern: 'literal',
  principal: 'User:app',
  host: '*',
  operation: 'read',
  permission: 'deny',
  ...over,
});
const goal = (deniedGroups?: readonly string[]): ClusterGoal => ({
  subject: 'cluster',
  group: 'shop',
  cluster: 'a',
  state: 'fenced',
  epoch: 7,
  term: 1,
  topics: ['orders'],
  ...(deniedGroups === undefined ? {} : { deniedGroups }),
});
const within = (): AbortSignal => AbortSignal.timeout(5_000);
const same = (x: AclChange) => (y: AclChange) => JSON.stringify(x) === JSON.stringify(y);

/** One broker's ACLs on consumer groups. */
class Acls implements ClusterAcls {
  entries: AclChange[] = [];
  refuses = false;

  list(): Promise<readonly AclEntry[]> {
    return Promise.resolve(this.entries);
  }

  mayDescribe(): Promise<boolean> {
    return Promise.resolve(true);
  }

  listEverywhere(): Promise<readonly (readonly AclEntry[])[]> {
    return Promise.resolve([this.entries]);
  }

  create(entries: readonly AclChange[]): Promise<void> {
    const refusal = { kind: 'authorization', errorCode: 31, detail: 'not allowed' } as const;
    if (this.refuses) return Promise.reject(new KafkaCallError('CreateAcls', refusal));
    for (const e of entries) if (!this.entries.some(same(e))) this.entries.push({ ...e });
    return Promise.resolve();
  }

  remove(entries: readonly AclChange[]): Promise<void> {
    this.entries = this.entries.filter((e) => !entries.some(same(e)));
    return Promise.resolve();
  }
}

let acls: Acls;
let readers: GroupReaders;
let allows: AclEntry[];

beforeEach(() => {
  acls = new Acls();
  allows = [entry({ permission: 'allow' }), entry({ permission: 'allow', principal: 'User:agent', name: '*' })];
  const findings = {
    ...{ authorizer: true, acls: [], denyByDefault: true, agentIsSuperUser: false, mayAlter: true, trouble: null },
    get groupAcls(): readonly AclEntry[] {
      return allows;
    },
  };
  readers = new GroupReaders({ acls }, { findings }, { exempt: [], own: 'User:agent' });
});

describe('consumer groups of an old side', () => {
  it('are refused to applications by name, tagged, and never to the agent', async () => {
    const read = await readers.refuse(goal(['billing']), within());
    expect(read).toMatchObject({
      denied: ['billing'],
      left: true,
      detail: '1 of 1 consumer groups refused to User:app',
    });
    expect(acls.entries).toEqual([entry(), entry({ host: 'pointsman:shop:7' })]);
    await readers.refuse(goal(['billing']), within());
    expect(acls.entries).toHaveLength(2);
  });

  it('are refused to who was granted READ since, at the next round', async () => {
    await readers.refuse(goal(['billing']), within());
    allows = [...allows, entry({ permission: 'allow', principal: 'User:web' })];
    expect(await readers.refuse(goal(['billing']), within())).toMatchObject({ denied: ['billing'] });
    expect(acls.entries.filter((e) => e.host === '*').map((e) => e.principal)).toEqual(['User:app', 'User:web']);
  });

  it('are admitted when the goal names them no longer, or opens the cluster; what somebody else denied stays', async () => {
    const foreign = entry({ principal: 'User:bob' });
    acls.entries.push(foreign);
    await readers.refuse(goal(['billing']), within());
    expect(await readers.refuse(goal(), within())).toMatchObject({ denied: [], left: false, detail: null });
    expect(acls.entries).toEqual([foreign]);
    await readers.refuse(goal(['billing']), within());
    expect(await readers.admit(goal(), within())).toMatchObject({ denied: [], left: false });
    expect(acls.entries).toEqual([foreign]);
  });

  it('that cannot be refused are said, and nothing is thrown for that', async () => {
    acls.refuses = true;
    expect(await readers.refuse(goal(['billing']), within())).toMatchObject({
      denied: [],
      detail: expect.stringContaining('not refused') as string,
    });
    allows = [];
    acls.refuses = false;
    expect(await readers.refuse(goal(['billing']), within())).toMatchObject({
      denied: [],
      detail: expect.stringContaining('nobody may read there') as string,
    });
  });
});

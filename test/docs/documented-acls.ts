import { readFileSync } from 'node:fs';
import type { LabAllow } from '#lab';

/** The `acls …` commands of docs/kafka-permissions.md, as the lab grants them. */
const DOCUMENT = new URL('../../docs/kafka-permissions.md', import.meta.url).pathname;

const USERS: Readonly<Record<string, LabAllow['user']>> = {
  'User:pointsman-agent': 'agent',
  'User:pointsman-witness': 'witness',
  'User:pointsman-check': 'app',
};
const OPERATIONS: Readonly<Record<string, LabAllow['operations'][number]>> = {
  Alter: 'ALTER',
  AlterConfigs: 'ALTER_CONFIGS',
  Create: 'CREATE',
  Delete: 'DELETE',
  Describe: 'DESCRIBE',
  DescribeConfigs: 'DESCRIBE_CONFIGS',
  Read: 'READ',
  Write: 'WRITE',
};

export function documentedAllows(): readonly LabAllow[] {
  return readFileSync(DOCUMENT, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('acls User:'))
    .map(toAllow);
}

function toAllow(line: string): LabAllow {
  const [, principal = '', ...words] = line.split(/\s+/);
  const valuesOf = (option: string): string[] => words.flatMap((w, i) => (w === option ? [words[i + 1] ?? ''] : []));
  const user = USERS[principal];
  const operations = valuesOf('--operation').map((name) => OPERATIONS[name]);
  const [topic] = valuesOf('--topic');
  const [group] = valuesOf('--group');
  if (user === undefined || operations.includes(undefined)) throw new Error(`docs/kafka-permissions.md: ${line}`);
  const granted = { user, operations: operations.filter((o) => o !== undefined) };
  if (words.includes('--cluster')) return { ...granted, resource: 'cluster', name: 'kafka-cluster' };
  const name = (topic ?? group ?? '').replaceAll("'", '');
  if (name === '') throw new Error(`docs/kafka-permissions.md: no resource in ${line}`);
  const prefixed = valuesOf('--resource-pattern-type').includes('prefixed');
  return { ...granted, resource: topic === undefined ? 'group' : 'topic', name: prefixed ? `${name}*` : name };
}

import kafkajs, { type AclEntry, type AclOperationTypes as Operations } from 'kafkajs';

import type { LabUser } from './types.js';

// kafkajs defines these by getters, which Node does not see as named exports of a CommonJS module.
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

/** Shorthand of the lab: an ALLOW for `User:<user>` from any host on a resource; `*` is every name, `x*` a prefix. */
export type LabAllow = {
  readonly user: LabUser;
  readonly resource: 'cluster' | 'topic' | 'group' | 'transactional-id';
  readonly name: string;
  readonly operations: readonly (keyof typeof Operations)[];
};

/**
 * Rights in a `sasl` lab. `app` is an ordinary service: it may use every topic and group. `agent` and `witness` have what
 * docs/kafka-permissions.md says, and not more, so that a missing right shows up in a test and not at an operator's site.
 */
export const defaultAllows: readonly LabAllow[] = [
  { user: 'app', resource: 'topic', name: '*', operations: ['READ', 'WRITE', 'DESCRIBE'] },
  { user: 'app', resource: 'group', name: '*', operations: ['READ', 'DESCRIBE'] },
  { user: 'app', resource: 'transactional-id', name: '*', operations: ['WRITE', 'DESCRIBE'] },
  { user: 'agent', resource: 'cluster', name: 'kafka-cluster', operations: ['DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER'] },
  {
    user: 'agent',
    resource: 'topic',
    name: '*',
    operations: ['DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS', 'READ', 'CREATE', 'DELETE'],
  },
  {
    user: 'agent',
    resource: 'topic',
    name: 'pointsman-*',
    operations: ['CREATE', 'ALTER', 'ALTER_CONFIGS', 'READ', 'WRITE'],
  },
  { user: 'agent', resource: 'topic', name: 'connect-offsets', operations: ['READ'] },
  { user: 'agent', resource: 'group', name: '*', operations: ['READ', 'DELETE'] },
  { user: 'witness', resource: 'cluster', name: 'kafka-cluster', operations: ['DESCRIBE', 'DESCRIBE_CONFIGS'] },
  { user: 'witness', resource: 'topic', name: '*', operations: ['DESCRIBE', 'DESCRIBE_CONFIGS'] },
  { user: 'witness', resource: 'topic', name: 'pointsman-canary', operations: ['READ', 'WRITE'] },
];

const resourceTypes = {
  cluster: AclResourceTypes.CLUSTER,
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  'transactional-id': AclResourceTypes.TRANSACTIONAL_ID,
} as const;

export function aclEntries(allow: LabAllow): AclEntry[] {
  const prefixed = allow.name.length > 1 && allow.name.endsWith('*');
  return allow.operations.map((operation) => ({
    resourceType: resourceTypes[allow.resource],
    resourceName: prefixed ? allow.name.slice(0, -1) : allow.name,
    resourcePatternType: prefixed ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
    principal: `User:${allow.user}`,
    host: '*',
    operation: AclOperationTypes[operation],
    permissionType: AclPermissionTypes.ALLOW,
  }));
}

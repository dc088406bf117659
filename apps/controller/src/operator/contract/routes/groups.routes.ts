import { LIST, MAX_SEQ, routes } from '../route.js';
import { CLIENTS, EXPLANATION, GROUP, READINESS } from '../examples/group.example.js';
import { AUDIT_ROW, EVENT } from '../examples/records.example.js';
import { TAIL } from '../examples/saga.example.js';
import { clients, explanation, readiness } from '../schemas/explain.schema.js';
import { group, groups } from '../schemas/group.schema.js';
import { groupAudit, history } from '../schemas/records.schema.js';
import { tail } from '../schemas/saga.schema.js';

const read = { method: 'GET', role: 'viewer', kind: 'read', tag: 'groups' } as const;

/** What can be asked of a group. */
export const groupRoutes = routes({
  groups: {
    ...read,
    id: 'listGroups',
    path: '/v1/groups',
    says: 'Every group whole, also while the store is down',
    answers: [{ status: 200, says: 'the groups', schema: groups, example: { groups: [GROUP] } }],
  },
  group: {
    ...read,
    id: 'getGroup',
    path: '/v1/groups/:group',
    says: 'One group whole',
    answers: [{ status: 200, says: 'the group', schema: group, example: GROUP }],
  },
  explain: {
    ...read,
    id: 'explainGroup',
    path: '/v1/groups/:group/explain',
    says: 'Why a group is judged as it is: now, or at a past decision as it was recorded then',
    query: {
      event: { min: 1, max: MAX_SEQ, fallback: 0, noDefault: true, says: 'seq of a past decision' },
    },
    answers: [{ status: 200, says: 'the explanation', schema: explanation, example: EXPLANATION }],
  },
  history: {
    ...read,
    id: 'getGroupHistory',
    path: '/v1/groups/:group/history',
    says: 'The last events of a group, oldest first',
    query: { limit: LIST },
    answers: [{ status: 200, says: 'the events', schema: history, example: { group: 'orders', events: [EVENT] } }],
  },
  groupAudit: {
    ...read,
    id: 'getGroupAudit',
    path: '/v1/groups/:group/audit',
    says: 'The newest acts on a group, oldest first',
    query: { limit: LIST },
    answers: [{ status: 200, says: 'the acts', schema: groupAudit, example: { group: 'orders', audit: [AUDIT_ROW] } }],
  },
  clients: {
    ...read,
    id: 'getGroupClients',
    path: '/v1/groups/:group/clients',
    says: 'Who follows the pointer, and which consumer groups move without a wrapped client',
    answers: [{ status: 200, says: 'the clients', schema: clients, example: CLIENTS }],
    problems: ['center_unavailable'],
  },
  readiness: {
    ...read,
    id: 'getGroupReadiness',
    path: '/v1/groups/:group/readiness',
    says: 'What a failover at this instant would find, and cost',
    answers: [{ status: 200, says: 'the report', schema: readiness, example: READINESS }],
    problems: ['not_decided_yet'],
  },
  tail: {
    ...read,
    id: 'getGroupTail',
    path: '/v1/groups/:group/tail',
    says: 'The records that only a returned cluster holds, as it was surveyed',
    answers: [{ status: 200, says: 'the survey', schema: tail, example: TAIL }],
  },
});

import { ABORTED, FLEET_ACT, FORCED_ACT, GROUP_ACT, PLANNED_ACT } from '../examples/writes.example.js';
import { type Answer, routes } from '../route.js';
import * as asked from '../../writes/schemas.js';
import { resent, tested } from '../schemas/records.schema.js';
import { aborted, fleetAct, groupAct, plannedAct } from '../schemas/writes.schema.js';

const epochWrite = { method: 'POST', role: 'operator', kind: 'epoch-write', tag: 'acts' } as const;
const alertWrite = { method: 'POST', role: 'operator', kind: 'keyed-write', tag: 'alerts' } as const;
const fleetWrite = { method: 'POST', role: 'operator', kind: 'keyed-write', tag: 'acts' } as const;

const acted: Answer = {
  status: 202,
  says: 'done; with `dryRun` what would be',
  schema: groupAct,
  example: GROUP_ACT,
  headers: { location: 'the operation, done already; absent in a dry run' },
};
const actedOnAll: Answer = {
  status: 202,
  says: 'done; with `dryRun` what would be',
  schema: fleetAct,
  example: FLEET_ACT,
  headers: { location: 'the groups' },
};
const begun: Answer = {
  status: 202,
  says: 'the saga is open; by policy secondPersonFor a proposal, which another person accepts; with `dryRun` the plan',
  schema: plannedAct,
  example: PLANNED_ACT,
  headers: {
    location:
      'the operation to follow; absent in a dry run, of a scheduled act, and while another person must accept it',
  },
};

/** What can be told. Each act is one transaction: the change, its audit row, its event, the answer kept for its key. */
export const writeRoutes = routes({
  acknowledge: {
    ...epochWrite,
    id: 'acknowledge',
    path: '/v1/groups/:group/acknowledge',
    says: 'A person has looked: lifts COOLDOWN and FLAPPING, ends a freeze',
    body: { schema: asked.acknowledgeSchema, example: { reason: 'seen, cause found', by: 'kim' } },
    answers: [acted],
  },
  pause: {
    ...epochWrite,
    id: 'pause',
    path: '/v1/groups/:group/pause',
    says: 'No automatic act until it expires; again: replaces the pause',
    body: { schema: asked.pauseSchema, example: { reason: 'broker upgrade', owner: 'kim', expiresIn: '2h' } },
    answers: [acted],
  },
  resume: {
    ...epochWrite,
    id: 'resume',
    path: '/v1/groups/:group/resume',
    says: 'Ends a pause; live state is judged with a fresh window',
    body: { schema: asked.resumeSchema, example: { reason: 'the upgrade is done', by: 'kim' } },
    answers: [acted],
    problems: ['not_paused'],
  },
  pauseAll: {
    ...fleetWrite,
    id: 'pauseAll',
    path: '/v1/pause',
    says: 'No automatic act on any group until it expires, also on groups that come later; again: replaces the pause',
    body: { schema: asked.pauseSchema, example: { reason: 'network work', owner: 'kim', expiresIn: '2h' } },
    answers: [actedOnAll],
  },
  resumeAll: {
    ...fleetWrite,
    id: 'resumeAll',
    path: '/v1/resume',
    says: 'Ends the pause of everything; groups that are paused by themselves stay so',
    body: { schema: asked.resumeSchema, example: { reason: 'the work is done', by: 'kim' } },
    answers: [{ ...actedOnAll, example: { ...FLEET_ACT, action: 'resume', summary: 'resumed', pause: null } }],
    problems: ['not_paused'],
  },
  acceptLoss: {
    ...epochWrite,
    id: 'acceptLoss',
    path: '/v1/groups/:group/accept-loss',
    says: 'Lifts LAG_OVER_BUDGET and LAG_UNKNOWN up to a limit, without a new window',
    body: {
      schema: asked.acceptLossSchema,
      example: { reason: 'INC-4711', by: 'kim', maxRecords: 50_000, expiresIn: '30m' },
    },
    answers: [acted],
  },
  switchover: {
    ...epochWrite,
    id: 'switchover',
    path: '/v1/groups/:group/switchover',
    says: 'Opens a planned switch, if nothing stands in its way; with `at` then, and judged again then',
    body: { schema: asked.switchoverSchema, example: { reason: 'broker upgrade', by: 'kim', target: 'b' } },
    answers: [begun],
    problems: ['refused'],
  },
  failover: {
    ...epochWrite,
    id: 'failover',
    path: '/v1/groups/:group/failover',
    says: 'A failover by order: what may be ordered on which row, and which blockers by name, is in the matrix',
    body: {
      schema: asked.failoverSchema,
      example: {
        ...{ reason: 'INC-4711, IDC a has no power', by: 'kim', target: 'b' },
        ...{ acceptLoss: { maxRecords: 50_000 }, override: ['COOLDOWN'] },
      },
    },
    answers: [{ ...begun, example: FORCED_ACT }],
    problems: ['refused'],
  },
  failback: {
    ...epochWrite,
    id: 'failback',
    path: '/v1/groups/:group/failback',
    says: 'The switchover to where the last switch came from',
    body: { schema: asked.failbackSchema, example: { reason: 'a is repaired', by: 'kim', dryRun: true } },
    answers: [begun],
    problems: ['refused'],
  },
  rejoin: {
    ...epochWrite,
    id: 'rejoin',
    path: '/v1/groups/:group/rejoin',
    says: 'The returned cluster as standby again; `choice` says what becomes of the records that only it holds',
    body: { schema: asked.rejoinSchema, example: { reason: 'a is back', by: 'kim', choice: 'export' } },
    answers: [begun],
    problems: ['refused'],
  },
  abort: {
    ...epochWrite,
    id: 'abort',
    kind: 'keyed-write',
    path: '/v1/sagas/:id/abort',
    says: 'Ends a saga before publish, everything it did is taken back; or takes a scheduled switchover back. By its id',
    body: { schema: asked.abortSchema, example: { reason: 'not tonight', by: 'kim' } },
    answers: [
      {
        status: 202,
        says: 'it walks back',
        schema: aborted,
        example: ABORTED,
        headers: { location: 'the operation to follow; the group of what had not begun' },
      },
    ],
    problems: ['saga_closed', 'too_late'],
  },
  resendAlert: {
    ...alertWrite,
    id: 'resendAlert',
    path: '/v1/alerts/:id/resend',
    says: 'A dead letter begins a new round at every receiver that was given up on',
    body: { schema: asked.resendSchema, example: { reason: 'the receiver is back', by: 'kim', receivers: ['oncall'] } },
    answers: [{ status: 202, says: 'to whom', schema: resent, example: { alert: 'b4c1', receivers: ['oncall'] } }],
    problems: ['nothing_dead'],
  },
  testAlert: {
    ...alertWrite,
    id: 'testAlert',
    path: '/v1/alerts/test',
    says: 'A real alert to every receiver, and its end',
    body: { schema: asked.alertTestSchema, example: { reason: 'are the receivers reached?', by: 'kim' } },
    answers: [
      {
        status: 202,
        says: 'on its way',
        schema: tested,
        example: { incident: 'test-1', alerts: [{ id: 'b4c1', type: 'test' }] },
      },
    ],
  },
});

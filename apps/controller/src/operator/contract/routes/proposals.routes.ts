import { GROUP_ACT } from '../examples/writes.example.js';
import { PROPOSAL, PROPOSED } from '../examples/proposal.example.js';
import { routes } from '../route.js';
import { approvedAct, groupAct } from '../schemas/writes.schema.js';
import { modeSchema } from '../../writes/mode.schema.js';
import { approveSchema, rejectSchema } from '../../writes/proposal.schemas.js';

const epochWrite = {
  method: 'POST',
  role: 'operator',
  kind: 'epoch-write',
  tag: 'acts',
  problems: ['refused'],
} as const;

/** Whether Pointsman asks, and what a person answers. */
export const proposalRoutes = routes({
  mode: {
    ...epochWrite,
    id: 'mode',
    path: '/v1/groups/:group/mode',
    says: 'Sets the mode in force, over restarts and whatever the files say; windows begin anew',
    body: { schema: modeSchema, example: { reason: 'four weeks without a false alarm', by: 'kim', mode: 'approve' } },
    answers: [
      {
        status: 202,
        says: 'done; with `dryRun` what would be',
        schema: groupAct,
        example: { ...GROUP_ACT, action: 'mode', summary: 'mode observe → approve', pause: null, mode: 'approve' },
        headers: { location: 'the group' },
      },
    ],
  },
  approve: {
    ...epochWrite,
    id: 'approve',
    path: '/v1/groups/:group/approve',
    says: 'A yes to the open proposal, judged again on a fresh snapshot; the last one that is needed opens the saga',
    body: { schema: approveSchema, example: { reason: 'INC-4711', by: 'kim', proposal: PROPOSAL.id } },
    answers: [
      {
        status: 202,
        says: '`saga` is what began; null: another person must approve too, or it was a dry run',
        schema: approvedAct,
        example: PROPOSED,
        headers: { location: 'the operation to follow; absent when none began' },
      },
    ],
  },
  reject: {
    ...epochWrite,
    id: 'reject',
    path: '/v1/groups/:group/reject',
    says: 'A no to the open proposal: not made again while its condition lasts, for policy proposal.again',
    body: { schema: rejectSchema, example: { reason: 'planned power test', by: 'kim' } },
    answers: [
      {
        status: 202,
        says: 'closed; with `dryRun` what would be',
        schema: groupAct,
        example: { ...GROUP_ACT, action: 'reject', summary: 'rejected: failover a → b', pause: null },
        headers: { location: 'the group' },
      },
    ],
  },
});

import { PROBLEMS, type ProblemCode } from '../problem-codes.js';

/** One problem of each code, as a whole body. */
export const problemExample = (code: ProblemCode) => ({
  type: `urn:pointsman:problem:${code}`,
  status: PROBLEMS[code].status,
  code,
  title: 'what is wrong, in a few words',
  detail: PROBLEMS[code].todo,
  instance: '/v1/groups/orders',
  requestId: '01936e0a-0000-7000-8000-000000000004',
  leader: 'https://ctl-a.example:8080',
  blockedBy:
    code === 'refused'
      ? [{ name: 'TARGET_NOT_FIT', detail: 'agent-b sees no quorum leader', liftedBy: 'b recovers' }]
      : [],
  errors: code.startsWith('invalid_') ? [{ pointer: '/reason', detail: 'say why' }] : [],
});

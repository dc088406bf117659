import { Problem } from '../http/problem.js';
import { type Act, actor, iso } from './acts.js';
import type { RejectBody } from './proposal.schemas.js';

/** Closes the open proposal; it is not made again before its condition was gone, or policy proposal.again has passed. */
export const reject = (body: RejectBody, nowMs: number): Act => ({
  name: 'reject',
  actor: actor(body.by),
  reason: body.reason,
  dryRun: body.dryRun,
  change: (row) => {
    const { proposal } = row;
    if (proposal?.state !== 'open' || (body.proposal !== undefined && body.proposal !== proposal.id)) {
      throw noProposal(row.name, body.proposal);
    }
    const closed = { at: iso(nowMs), by: actor(body.by), reason: body.reason, saga: null };
    return {
      row: { ...row, proposal: { ...proposal, state: 'rejected', closed } },
      summary: `rejected: ${proposal.act} ${proposal.source} → ${proposal.target}`,
    };
  },
});

const noProposal = (group: string, id: string | undefined): Problem =>
  new Problem({
    status: 409,
    code: 'refused',
    title: `The rejection of ${group} is refused`,
    detail: 'There is nothing to reject; nothing was changed.',
    blockedBy: [
      {
        name: 'NO_PROPOSAL',
        detail: id === undefined ? 'no proposal of this group is open' : `proposal ${id} is not open`,
        liftedBy: `pointsman status ${group} shows an open one`,
      },
    ],
  });

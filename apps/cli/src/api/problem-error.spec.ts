import { describe, expect, it } from 'vitest';
import { ProblemError, parseProblem } from './problem-error.js';

describe('a refused request', () => {
  it.each([
    [400, 2],
    [401, 7],
    [403, 7],
    [404, 1],
    [409, 6],
    [412, 6],
    [422, 6],
    [428, 6],
    [500, 1],
    [503, 1],
  ])('status %i exits %i', (status, exitCode) => {
    expect(new ProblemError(parseProblem(status, {})).exitCode).toBe(exitCode);
  });

  it('names fields, blockers with their lifting calls, and the request', () => {
    const { message } = new ProblemError(
      parseProblem(409, {
        title: 'Refused',
        detail: 'look below',
        errors: [{ pointer: '/owner', detail: 'name a person' }],
        blockedBy: [{ name: 'COOLDOWN', detail: '12 min left', liftedBy: 'pointsman ack orders' }],
        requestId: 'r-1',
      }),
    );
    expect(message.split('\n')).toEqual([
      'Refused: look below',
      '  /owner: name a person',
      '  blocked by COOLDOWN: 12 min left; lifted by: pointsman ack orders',
      '  (request r-1)',
    ]);
  });

  it('says so when the answer is not from a controller', () => {
    expect(new ProblemError(parseProblem(502, null)).message).toContain('502');
  });
});

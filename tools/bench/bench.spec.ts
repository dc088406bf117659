import { describe, expect, it } from 'vitest';
import { requestFromWire, SessionRequest } from '#rpc';
import { encodeBody, frame, reportMessage } from './intake/agent-bytes.js';
import { interleave } from './interleave.js';
import { atMost } from './section.js';

describe('interleave', () => {
  it('warms both sides up, then visits A B B A', async () => {
    const order: string[] = [];
    const visit = (side: string) => () => order.push(side);
    const seen = await interleave(visit('a'), visit('b'), 2);
    expect(order.join('')).toBe('ab' + 'abba' + 'abba');
    expect(seen).toEqual({ a: [3, 6, 7, 10], b: [4, 5, 8, 9] });
  });
});

describe('the bytes that the intake is fed', () => {
  it.each([1, 127, 128, 300, 70_000])('are a request with sequence number %i, as an agent would send it', (seq) => {
    const request = SessionRequest.decode(frame(seq, encodeBody(reportMessage(false))));
    expect(request.seq).toBe(seq);
    expect(requestFromWire(request)).toEqual(reportMessage(false));
  });
});

describe('atMost', () => {
  it('says when a goal is missed', () => {
    const figure = { what: 'x', value: '2', measured: 2, goal: '≤ 1' };
    expect(atMost({ ...figure, limit: 1 }).verdict).toBe('MISSED');
    expect(atMost({ ...figure, limit: 2 }).verdict).toBe('met');
  });
});

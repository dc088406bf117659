import { AuthenticationError, NetworkError, ProtocolError, ResponseError, TimeoutError } from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { DeadlineError } from './deadline.js';
import { failureOf, responseIn } from './kafka-error.js';

const system = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });
const connecting = (cause: Error): Error => new NetworkError('Connection to x:1 failed.', { cause });

describe('failureOf', () => {
  it.each([
    ['refused', connecting(system('ECONNREFUSED'))],
    ['reset', connecting(system('ECONNRESET'))],
    ['reset', new NetworkError('Connection closed')],
    ['no_route', connecting(system('EHOSTUNREACH'))],
    ['no_route', connecting(system('ENETUNREACH'))],
    ['deadline', new DeadlineError('Metadata to x:1', 2000)],
    ['deadline', new TimeoutError('Request timed out')],
    ['dns', system('ENOTFOUND')],
    ['dns', system('EAI_AGAIN')],
    ['tls', connecting(system('DEPTH_ZERO_SELF_SIGNED_CERT'))],
    ['tls', connecting(system('ERR_TLS_CERT_ALTNAME_INVALID'))],
    [
      'authentication',
      connecting(new AuthenticationError('SASL authentication failed.', { cause: new ProtocolError(58) })),
    ],
    [
      'reset',
      connecting(new AuthenticationError('Cannot find a mechanism.', { cause: new NetworkError('Connection closed') })),
    ],
    ['authorization', new ProtocolError(29)],
    ['quota', new ProtocolError(89)],
    ['broker', new ProtocolError(19)],
    ['other', new Error('something new')],
    ['other', 'not even an error'],
  ])('%s', (kind, error) => {
    expect(failureOf(error).kind).toBe(kind);
  });

  it('keeps the code of the broker, also out of a reply with several errors', () => {
    const error = new ResponseError(0, 9, { '/responses/0': [10, null] }, {});
    expect(failureOf(error)).toMatchObject({ kind: 'broker', errorCode: 10 });
  });

  it('ends on a ring of causes', () => {
    const ring = new Error('a');
    ring.cause = ring;
    expect(failureOf(ring).kind).toBe('other');
  });
});

describe('responseIn', () => {
  it('recovers the whole reply of a call of which one part failed', () => {
    expect(responseIn(new ResponseError(3, 12, { '/topics/0': [5, null] }, { topics: [1] }))).toEqual({ topics: [1] });
    expect(responseIn(new Error('no reply'))).toBeNull();
  });
});

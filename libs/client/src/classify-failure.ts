/** What a failed attempt to send means for the record. */
export type Failure =
  | Readonly<{ kind: 'too-large' }> // error 10 (or 18): fenced, or truly too large
  | Readonly<{ kind: 'not-authorized' }> // error 29: fenced, or no permission
  | Readonly<{ kind: 'refused' }> // the record itself is wrong; no cluster will take it
  | Readonly<{ kind: 'producer-lost' }> // the broker no longer knows this producer or its sequence: a new one is needed
  | Readonly<{ kind: 'topic-away' }> // unknown topic, or a partition without a leader or its listener: of this topic, or of any other that kafkajs asks about
  | Readonly<{ kind: 'unclear' }> // a bug in an encoder, a library or a record: tried a few times, then told
  | Readonly<{ kind: 'unavailable' }>; // no answer, or one that passes by itself

const TOO_LARGE = new Set([10, 18]);
const NOT_AUTHORIZED = 29;
const TOPIC_AWAY = new Set([3, 5, 9, 72]);
// Out of order or duplicate sequence, invalid producer epoch, unknown producer id, fenced: idempotent producers only.
const PRODUCER_LOST = new Set([45, 46, 47, 59, 90]);
// Corrupt message, invalid topic, invalid required acks, invalid timestamp, unsupported for the format, policy
// violation, unsupported compression, invalid record: said of the record, true on every cluster.
const REFUSED = new Set([2, 17, 21, 32, 43, 44, 76, 87]);

/**
 * Whether a failed request's error, by number, was said of some topic's metadata instead of what the request brought: it
 * never came as far as the partitioner, or kafkajs lost the first error by asking for the metadata again. That one it
 * wraps as final; the answer to a produce request it passes on bare, or counts its attempts.
 */
export function saysOfMetadata({ kind }: Failure, error: unknown, placed: boolean): boolean {
  if (kind === 'topic-away') return true;
  if (kind === 'too-large' || kind === 'producer-lost' || !(error instanceof Error)) return false; // of records only
  const { cause, name, code } = error as KafkaError;
  if (typeof code === 'number') return !placed;
  const within = cause instanceof Error ? (cause as KafkaError).code : undefined;
  return typeof within === 'number' && (!placed || name === 'KafkaJSNonRetriableError');
}

type KafkaError = Error & Readonly<{ code?: unknown; retriable?: unknown; cause?: unknown }>;

/**
 * Reads through kafkajs' wrappers ("retries exceeded" round the true error). An unknown error is never a refusal: it
 * is tried again until the pointer moves or the wait is over, and is told then.
 */
export function classifyFailure(error: unknown): Failure {
  let outermost = true;
  for (let e = error as KafkaError | undefined, depth = 0; e instanceof Error && depth < 8; depth++) {
    if (typeof e.code === 'number') {
      if (TOO_LARGE.has(e.code)) return { kind: 'too-large' };
      if (e.code === NOT_AUTHORIZED) return { kind: 'not-authorized' };
      if (TOPIC_AWAY.has(e.code)) return { kind: 'topic-away' };
      if (PRODUCER_LOST.has(e.code)) return { kind: 'producer-lost' };
      return { kind: REFUSED.has(e.code) ? 'refused' : 'unavailable' };
    }
    // kafkajs' own checks of the arguments, and bugs of ours or the caller's while a record is being encoded.
    if (outermost && e.name === 'KafkaJSNonRetriableError' && e.cause === undefined) return { kind: 'refused' };
    if (e.name === 'KafkaJSNotImplemented') return { kind: 'refused' };
    if (e.name === 'TypeError' || e.name === 'RangeError') return { kind: 'unclear' };
    outermost = false;
    e = e.cause as KafkaError | undefined;
  }
  return { kind: 'unavailable' };
}

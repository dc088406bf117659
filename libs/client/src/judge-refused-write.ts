/** What a broker's refusal (error 10 or 29) means for the record that it was said of. */
export type RefusalVerdict =
  | 'moved-on' // the pointer names another cluster meanwhile
  | 'fenced' // the cluster is closed on purpose: keep the record
  | 'refused' // the record is at fault, or the permission: tell the caller at once
  | 'unclear'; // neither: try again a few times

export type RefusedWrite = Readonly<{
  kind: 'too-large' | 'not-authorized';
  topic: string;
  bytes: number; // of the send, uncompressed
  acknowledgedBefore: boolean; // this cluster took a record of this topic from us before
  refreshPointer(): Promise<boolean>;
  movedOn(): boolean;
  maxMessageBytes(): Promise<number>;
}>;

const FENCE_MAX_MESSAGE_BYTES = 1;
const KAFKA_DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;

/**
 * A fence of kind `max.message.bytes=1` answers every record with error 10, a DENY answers with 29; a record that is
 * too large and a missing permission get the same numbers. The first must wait for the pointer, the second must not
 * wait at all.
 */
export async function judgeRefusedWrite(w: RefusedWrite): Promise<RefusalVerdict> {
  const pointerIsFresh = await w.refreshPointer();
  if (w.movedOn()) return 'moved-on';
  if (w.kind === 'not-authorized') {
    // A permission that was there and went away is a fence. One never seen, while the config center itself confirms
    // this cluster, is a missing grant.
    return w.acknowledgedBefore || !pointerIsFresh ? 'fenced' : 'refused';
  }
  let limit: number | null;
  try {
    limit = await w.maxMessageBytes();
  } catch {
    limit = null; // no DESCRIBE_CONFIGS, or the cluster is dying: judged by size alone
  }
  if (w.movedOn()) return 'moved-on';
  if (limit === null) return w.bytes > KAFKA_DEFAULT_MAX_MESSAGE_BYTES ? 'refused' : 'fenced';
  if (limit <= FENCE_MAX_MESSAGE_BYTES) return 'fenced';
  return w.bytes > limit ? 'refused' : 'unclear';
}

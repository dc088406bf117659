import type { RecordHeader, LogRecord } from '#kafka';

/**
 * One record as one line of JSON. Text stays text; anything else is base64 in a field that says so, so that the bytes can be
 * made again exactly.
 */
export function tailLine(
  at: Readonly<{ cluster: string; topic: string; partition: number }>,
  record: LogRecord,
  withValue: boolean,
): string {
  const value = withValue ? field('value', record.value) : { valueBytes: record.value?.length ?? null };
  return `${JSON.stringify({
    ...at,
    offset: record.offset,
    timestampMs: record.timestampMs,
    ...field('key', record.key),
    ...value,
    headers: record.headers.map(header),
  })}\n`;
}

const header = ([name, value]: RecordHeader): object => ({ ...field('name', name), ...field('value', value) });

function field(name: string, bytes: Buffer | null): object {
  if (bytes === null) return { [name]: null };
  const text = textOf(bytes);
  return text === null ? { [`${name}Base64`]: bytes.toString('base64') } : { [name]: text };
}

/** For people and for one-line reports. */
export const keyText = (key: Buffer | null): string | null =>
  key === null ? null : (textOf(key) ?? `base64:${key.toString('base64')}`);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Null: not UTF-8, so text would not give the same bytes again. */
export function textOf(bytes: Buffer): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null; // the only way in which the decoder says no
  }
}

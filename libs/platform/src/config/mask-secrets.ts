const MASK = '***';

/**
 * A value of a configuration file as it may be shown to anybody: the password of an address and its query, which may be a
 * key, are masked. Secrets by file stay what they are: a file's name.
 */
export function maskSecrets(text: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  try {
    const url = new URL(text);
    if (url.password !== '') url.password = MASK;
    if (url.search !== '') url.search = `?${MASK}`;
    return url.password === MASK || url.search !== '' ? url.toString() : text;
  } catch {
    return MASK; // looks like an address and is none: it may hold anything
  }
}

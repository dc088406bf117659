import { readText } from './read-text.js';

/** A file that the configuration names as a secret is missing, unreadable or empty. */
export class SecretFileError extends Error {
  override readonly name = 'SecretFileError';
}

/** Reads a secret from a file, without the trailing newline. The error names the file, never its content. */
export function readSecretFile(file: string): string {
  try {
    const secret = readText(file).replace(/\r?\n$/, '');
    if (secret !== '') return secret;
  } catch (cause) {
    throw new SecretFileError(`secret file ${file} cannot be read: check the path and the permissions`, { cause });
  }
  throw new SecretFileError(`secret file ${file} is empty`);
}

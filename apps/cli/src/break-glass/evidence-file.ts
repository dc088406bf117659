import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError, EXIT } from '../exit-codes.js';
import { digestOf, type Evidence, KeyFormatError, signEvidence, type Verdict, verifyEvidence } from './evidence.js';

export type Left = Readonly<{ path: string; digest: string }>;

const HOW = 'openssl genpkey -algorithm ed25519 -out break-glass.key (docs/break-glass.md)';

/** The key that signs. @throws CliError (2) that says how to make one */
export async function signingKey(keyFile: string | null, controllerFile: string): Promise<string> {
  if (keyFile === null) {
    const message = `${controllerFile} has no breakGlass.keyFile, which signs what was done: make a key with ${HOW}`;
    throw new CliError(message, EXIT.usage);
  }
  const pem = await readPem(`breakGlass.keyFile ${keyFile}`, keyFile);
  asUsage(`breakGlass.keyFile ${keyFile}`, () => signEvidence({}, pem));
  return pem;
}

/** Written whole, under one name for all of an act's turns: a run that dies leaves what it had begun. @throws as the file system does */
export async function leaveEvidence(dir: string, name: string, evidence: Evidence, pem: string): Promise<Left> {
  const path = join(dir, `${name}.json`);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const text = `${JSON.stringify(signEvidence(evidence, pem), null, 2)}\n`;
  await writeFile(`${path}.draft`, text, { mode: 0o600, flush: true });
  await rename(`${path}.draft`, path);
  return { path, digest: digestOf(evidence) };
}

/** @throws CliError (2) for a file or a key that is none */
export async function checkEvidence(file: string, keyFile: string): Promise<Verdict> {
  const signed = await readJson(file);
  const pem = await readPem(`--key ${keyFile}`, keyFile);
  return asUsage(`--key ${keyFile}`, () => verifyEvidence(signed, pem));
}

/** What an acknowledgement names, of a file or given already; the signature is checked by `verify`, which has the key. */
export async function evidenceDigest(given: string): Promise<string> {
  if (/^sha256:[0-9a-f]{64}$/.test(given)) return given;
  const signed = await readJson(given);
  const evidence =
    typeof signed === 'object' && signed !== null ? (signed as { evidence?: unknown }).evidence : undefined;
  if (typeof evidence !== 'object' || evidence === null)
    throw new CliError(`${given} is no evidence of break-glass`, EXIT.usage);
  return digestOf(evidence as Evidence);
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new CliError(`${file} cannot be read as JSON: name the file that break-glass left`, EXIT.usage, { cause });
  }
}

async function readPem(name: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new CliError(`${name} cannot be read; ${HOW}`, EXIT.usage, { cause });
  }
}

function asUsage<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof KeyFormatError)) throw cause;
    throw new CliError(`${name}: ${cause.message}; ${HOW}`, EXIT.usage, { cause });
  }
}

import { runCommand, commandExists } from './run-command.js';
import { SetupError } from './setup-error.js';

const PROBE_TIMEOUT_MS = 30_000;

/** Linux only: the lab leans on /proc, signals and `setpriv --pdeathsig`. */
export function requireLinux(): void {
  if (process.platform !== 'linux') {
    throw new SetupError(
      `The demo, the lab and the server tests need Linux, this is ${process.platform}`,
      'Run them in a Linux machine or container',
    );
  }
}

export function requireNode(version: string = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new SetupError(
    `Node >= 20.19 is needed, this is ${version}`,
    'Install it with `nvm install 20` or from nodejs.org',
  );
}

export async function requireJava(): Promise<void> {
  const remedy = 'Install it with `apt-get install openjdk-17-jre-headless`';
  if (!(await commandExists('java', ['-version'])))
    throw new SetupError('Java 17 or newer is needed, `java` is not on the PATH', remedy);
  const { stderr, stdout } = await runCommand('java', ['-version'], { timeoutMs: PROBE_TIMEOUT_MS });
  const major = javaMajor(stderr + stdout);
  if (major < 17) throw new SetupError(`Java 17 or newer is needed, this is ${major || 'unreadable'}`, remedy);
}

/** `openjdk version "17.0.15"` → 17; the old scheme `"1.8.0_392"` → 8; 0 when unreadable. */
export function javaMajor(output: string): number {
  const match = /version "(?:1\.)?(\d+)/.exec(output);
  return match?.[1] === undefined ? 0 : Number(match[1]);
}

export async function requireMaven(): Promise<void> {
  if (await commandExists('mvn')) return;
  throw new SetupError(
    'Maven is needed to fetch Kafka, `mvn` is not on the PATH',
    'Install it with `apt-get install maven`',
  );
}

/** From util-linux, on every ordinary Linux: makes a server die with the process that started it. */
export async function requireSetpriv(): Promise<void> {
  if (await commandExists('setpriv')) return;
  throw new SetupError('`setpriv` is not on the PATH', 'Install it with `apt-get install util-linux`');
}

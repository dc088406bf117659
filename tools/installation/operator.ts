import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { checkoutRoot } from '#lab';
import type { Installation } from './installation.js';

const DEADLINE_MS = 180_000;

export type Said = Readonly<{ exitStatus: number | null; out: readonly string[]; err: readonly string[] }>;

/** Who sits at the shell: the login name, and a token of their own. */
export type Person = Readonly<{ name: string; tokenFile: string }>;

/** A person at a shell: the built `pointsman`, which knows all controllers and a token, and nothing else of the installation. */
export class Operator {
  private readonly leaving = new AbortController();

  /** @param person absent: whoever runs this, with the token of the file. */
  constructor(
    private readonly installation: Installation,
    private readonly person: Person | null = null,
  ) {}

  /**
   * One command to its end. Exit statuses: docs/cli.md.
   * @param onLine called with each line of either stream as it is printed
   */
  async run(args: readonly string[], onLine: (line: string) => void = () => undefined): Promise<Said> {
    const child = spawn(process.execPath, [join(checkoutRoot(), 'dist/apps/cli/src/main.js'), ...args], {
      env: {
        ...process.env,
        POINTSMAN_SERVER: this.installation.apiUrls().join(','),
        POINTSMAN_TOKEN_FILE: this.person?.tokenFile ?? this.installation.tokenFile,
        ...(this.person === null ? {} : { USER: this.person.name }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: AbortSignal.any([this.leaving.signal, AbortSignal.timeout(DEADLINE_MS)]),
    });
    const out: string[] = [];
    const err: string[] = [];
    const keep = (lines: string[]) => (line: string) => {
      lines.push(line);
      onLine(line);
    };
    createInterface({ input: child.stdout }).on('line', keep(out));
    createInterface({ input: child.stderr }).on('line', keep(err));
    const [exitStatus] = (await once(child, 'close')) as [number | null];
    return { exitStatus, out, err };
  }

  /** Ends a command under way; what it had begun goes on without it. */
  close(): void {
    this.leaving.abort();
  }
}

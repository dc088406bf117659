import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '#platform';
import { AtomicFile } from '../goals/atomic-file.js';
import type { ArmedEntry } from './self-fence-rules.js';

/** Which clusters this agent closes by itself; it outlives the process, because the leader counts on it. */
export class SelfFenceMemory {
  readonly #file: AtomicFile<typeof schema>;

  constructor(dataDir: string, logger: Logger) {
    this.#file = new AtomicFile(join(dataDir, 'self-fence.json'), schema, logger);
  }

  read(): readonly ArmedEntry[] {
    return this.#file.read()?.armed ?? [];
  }

  /** On disk when this returns. @throws {DiskError} */
  save(armed: readonly ArmedEntry[]): void {
    this.#file.write({ version: 1, armed: [...armed] });
  }
}

const count = z.int().min(0);
const schema = z.strictObject({
  version: z.literal(1),
  armed: z.array(
    z.strictObject({
      group: z.string(),
      cluster: z.string(),
      epoch: count,
      term: count,
      selfFenceAfterMs: z.number().positive(),
    }),
  ),
});

import type { Command, CommandResult } from '#failover';

/** Commands sent to one agent and not answered yet; more than this is a defect of the sender. */
const MAX_PENDING = 256;

/** A late agent may answer a moment after the deadline that it was given. */
const GRACE_MS = 250;

type Pending = Readonly<{ settle: (result: CommandResult) => void }>;

/** Every command gets exactly one result: the agent's, or the reason why there is none. */
export class PendingCommands {
  readonly #pending = new Map<string, Pending>();

  /** `send` is called once the result can be taken in. Never rejects. */
  wait(command: Command, signal: AbortSignal | undefined, send: () => void): Promise<CommandResult> {
    const { id } = command;
    if (signal?.aborted === true) return Promise.resolve(unavailable(id, 'cancelled before it was sent'));
    if (this.#pending.size >= MAX_PENDING || this.#pending.has(id)) {
      return Promise.resolve(unavailable(id, this.#pending.has(id) ? 'already under way' : 'too many under way'));
    }
    return new Promise((resolve) => {
      const settle = (result: CommandResult): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#pending.delete(id);
        resolve(result);
      };
      const onAbort = (): void => settle(unavailable(id, 'cancelled; the effect may have happened'));
      const timer = setTimeout(
        () => settle({ id, ok: false, code: 'expired', detail: `no result within ${command.deadlineMs} ms` }),
        command.deadlineMs + GRACE_MS,
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(id, { settle });
      send();
    });
  }

  result(result: CommandResult): void {
    this.#pending.get(result.id)?.settle(result);
  }

  fail(detail: string): void {
    for (const [id, pending] of [...this.#pending]) pending.settle(unavailable(id, detail));
  }
}

export const unavailable = (id: string, detail: string): CommandResult => ({
  id,
  ok: false,
  code: 'unavailable',
  detail,
});

import type { Command, CommandResult } from '#failover';
import type { Logger } from '#platform';
import type { Hands } from '../ports.js';

/** Why a command is not run at all. */
export type CommandRefusal = 'refused_term' | 'refused_epoch' | 'unavailable';

export type CommandRunnerOptions = Readonly<{
  hands: Hands;
  logger: Logger;
  refuse: (term: number, epoch: number, group: string) => CommandRefusal | null;
  maxRunning?: number; // default 8
  maxWaiting?: number; // default 64
}>;

const MAX_REMEMBERED = 256;

const REFUSALS = {
  refused_term: 'this agent has heard a higher one',
  refused_epoch: 'this agent has heard a higher one',
  unavailable: 'this agent cannot keep its epoch on disk',
} as const satisfies Record<CommandRefusal, string>;

/**
 * Runs commands: few at once, each with its deadline, each with exactly one result. A result is remembered by the
 * command's id, so that a leader that asks again after a lost session gets the answer and not a second effect.
 */
export class CommandRunner {
  readonly #options: CommandRunnerOptions;
  readonly #results = new Map<string, Promise<CommandResult>>();
  readonly #waiting: (() => void)[] = [];
  readonly #stop = new AbortController();
  #running = 0;

  constructor(options: CommandRunnerOptions) {
    this.#options = options;
  }

  /** Never rejects. The deadline counts from the call. */
  run(command: Command): Promise<CommandResult> {
    const refused = this.#refusal(command);
    if (refused !== null) return Promise.resolve(refused);
    const known = this.#results.get(command.id);
    if (known !== undefined) return known;
    const busy = this.#waiting.length >= (this.#options.maxWaiting ?? 64);
    if (busy) return Promise.resolve(failure(command, 'unavailable', 'too many commands are waiting; ask again'));
    const result = this.#withinDeadline(command);
    this.#remember(command.id, result);
    return result;
  }

  close(): void {
    this.#stop.abort(new Error('the agent is stopping'));
  }

  #refusal(command: Command): CommandResult | null {
    const refused = this.#options.refuse(command.term, command.epoch, command.group);
    return refused === null ? null : failure(command, refused, REFUSALS[refused]);
  }

  #remember(id: string, result: Promise<CommandResult>): void {
    this.#results.set(id, result);
    const oldest = this.#results.keys().next();
    if (this.#results.size > MAX_REMEMBERED && !oldest.done) this.#results.delete(oldest.value);
  }

  async #withinDeadline(command: Command): Promise<CommandResult> {
    const deadline = AbortSignal.timeout(Math.max(0, Math.min(command.deadlineMs, 0x7fffffff)));
    const signal = AbortSignal.any([deadline, this.#stop.signal]);
    const ended = new Promise<CommandResult>((resolve) => {
      const end = (): void =>
        resolve(
          deadline.aborted
            ? failure(command, 'expired', `no result within ${command.deadlineMs} ms; the effect may have happened`)
            : failure(command, 'unavailable', 'the agent is stopping'),
        );
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
    });
    return Promise.race([this.#inTurn(command, signal), ended]);
  }

  async #inTurn(command: Command, signal: AbortSignal): Promise<CommandResult> {
    if (this.#running >= (this.#options.maxRunning ?? 8)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
    try {
      if (signal.aborted) return failure(command, 'expired', 'its turn came after its deadline; nothing was done');
      // A newer leader, or a newer epoch, may have been heard of while it waited.
      return this.#refusal(command) ?? (await this.#options.hands.run(command, signal));
    } catch (error) {
      this.#options.logger.warn({ error, command: command.id, kind: command.body.kind }, 'command failed');
      return failure(command, 'failed', error instanceof Error ? error.message : String(error));
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}

type FailureCode = Extract<CommandResult, { ok: false }>['code'];

const failure = (command: Pick<Command, 'id'>, code: FailureCode, detail: string): CommandResult => ({
  id: command.id,
  ok: false,
  code,
  detail,
});

import { type ChildProcess, fork } from 'node:child_process';

type Request = Readonly<{ seq: number; op: string; args: unknown }>;
type Reply = Readonly<{ seq: number; value?: unknown; error?: string }>;
export type Handlers = Readonly<Record<string, (args: never) => unknown>>;
type Value<H extends Handlers, Op extends keyof H> = Awaited<ReturnType<H[Op]>>;

/** A part of a measurement in a process of its own, so that its CPU time is its own. Asked over IPC, one answer each. */
export class Child<H extends Handlers> {
  private seq = 0;
  private readonly waiting = new Map<number, (reply: Reply) => void>();

  private constructor(
    private readonly child: ChildProcess,
    private readonly name: string,
  ) {
    child.on('message', (reply: Reply) => {
      this.waiting.get(reply.seq)?.(reply);
      this.waiting.delete(reply.seq);
    });
    child.on('exit', (code) => {
      for (const [seq, settle] of this.waiting) settle({ seq, error: `ended with ${code}` });
      this.waiting.clear();
    });
  }

  static start<H extends Handlers>(entry: URL, args: readonly string[] = []): Child<H> {
    const name = entry.pathname.split('/').at(-1) ?? '';
    return new Child<H>(fork(entry, [...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }), name);
  }

  ask<Op extends keyof H & string>(op: Op, args: Parameters<H[Op]>[0]): Promise<Value<H, Op>> {
    this.seq += 1;
    const { seq } = this;
    return new Promise((resolve, reject) => {
      this.waiting.set(seq, (reply) => {
        if (reply.error === undefined) resolve(reply.value as Value<H, Op>);
        else reject(new Error(`${this.name}: ${op}: ${reply.error}`));
      });
      this.child.send({ seq, op, args } satisfies Request);
    });
  }

  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    this.child.kill('SIGKILL');
    await ended;
  }
}

/** The child's side. It ends with its parent. */
export function serve(handlers: Handlers): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', ({ seq, op, args }: Request) => {
    const answer = async (): Promise<unknown> => handlers[op]?.(args as never);
    answer().then(
      (value) => process.send?.({ seq, value } satisfies Reply),
      (error: unknown) => process.send?.({ seq, error: String(error) } satisfies Reply),
    );
  });
}

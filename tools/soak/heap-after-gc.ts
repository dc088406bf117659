import type { LabProcess } from '#lab';
import { WebSocket } from 'undici';
import { z } from 'zod';

const DEADLINE_MS = 15_000;

const answerSchema = z.object({
  id: z.number(),
  result: z.object({ result: z.object({ value: z.unknown() }) }).optional(),
});

/**
 * What a process holds after a full collection, in bytes. Compiled code is counted apart: V8 goes on compiling for as long
 * as it finds something to optimise, which no report leaves behind and no leak of reports can hide in.
 */
export type HeapAfterGc = Readonly<{ liveBytes: number; codeBytes: number }>;

const heapSchema = z.object({ liveBytes: z.number(), codeBytes: z.number() });

/**
 * One full collection, then the heap in use. The inspector's own collectGarbage repeats the collection until nothing
 * more comes, which stops a process on a busy machine long enough for it to distrust itself.
 */
const COLLECT_AND_COUNT = `(() => {
  const v8 = process.getBuiltinModule('node:v8');
  v8.setFlagsFromString('--expose-gc');
  (globalThis.soakGc ??= process.getBuiltinModule('node:vm').runInNewContext('gc'))();
  const heapUsed = process.memoryUsage().heapUsed;
  const code = v8.getHeapCodeStatistics();
  const codeBytes = code.code_and_metadata_size + code.bytecode_and_metadata_size;
  return { liveBytes: heapUsed - codeBytes, codeBytes };
})()`;

/** Node arguments under which `HeapProbe` can reach every process: a free inspector port each, opened only when asked. */
export const INSPECTABLE = '--inspect-port=0';

/**
 * The heap of a running Node process after a full collection, from outside: SIGUSR1 opens its inspector, which is asked
 * to collect and to count. What is left then is held by something; what `/metrics` says includes garbage.
 */
export class HeapProbe {
  private url: string | null = null;

  constructor(private readonly process: LabProcess) {}

  /** The process stands still for the collection, some 20 to 60 ms. */
  async heapAfterGc(): Promise<HeapAfterGc> {
    this.url ??= await this.openInspector();
    return ask(this.url);
  }

  private async openInspector(): Promise<string> {
    const { pid } = this.process;
    if (pid === undefined) throw new Error(`${this.process.name} does not run`);
    process.kill(pid, 'SIGUSR1');
    const line = await this.process.waitForLine(/Debugger listening on ws:/, DEADLINE_MS);
    return line.slice(line.indexOf('ws://')).trim();
  }
}

function ask(url: string): Promise<HeapAfterGc> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    const timer = setTimeout(
      () => fail(new DOMException(`no answer from ${url} within ${DEADLINE_MS} ms`, 'TimeoutError')),
      DEADLINE_MS,
    );
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.close();
      reject(error);
    };
    socket.addEventListener('open', () => {
      const params = { expression: COLLECT_AND_COUNT, returnByValue: true };
      socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params }));
    });
    socket.addEventListener('error', () => fail(new Error(`cannot reach the inspector at ${url}`)));
    socket.addEventListener('message', ({ data }) => {
      const answer = answerSchema.safeParse(JSON.parse(String(data)));
      if (!answer.success || answer.data.id !== 1) return;
      const heap = heapSchema.safeParse(answer.data.result?.result.value);
      if (!heap.success) {
        fail(new Error(`the inspector at ${url} did not say its heap: ${String(data)}`));
        return;
      }
      clearTimeout(timer);
      socket.close();
      resolve(heap.data);
    });
  });
}

import pc from 'picocolors';

/** One calm terminal view: what happens in words, one line each, and below it a status line that repaints on a terminal. */
export class View {
  private readonly startedMs = performance.now();
  private status = '';

  constructor(
    private readonly out: NodeJS.WriteStream,
    private readonly interactive: boolean,
  ) {}

  /** A new scene. */
  scene(title: string): void {
    this.line('');
    this.line(pc.bold(`── ${title} ${'─'.repeat(Math.max(3, 88 - title.length))}`));
  }

  /** What happens, with the seconds since the demo began. */
  say(text: string): void {
    const seconds = ((performance.now() - this.startedMs) / 1000).toFixed(1).padStart(6);
    this.line(`${pc.dim(`${seconds} s`)}  ${text}`);
  }

  good(text: string): void {
    this.say(`${pc.green('✓')} ${text}`);
  }

  bad(text: string): void {
    this.say(`${pc.red('✗')} ${text}`);
  }

  /** Several lines as they are, indented. */
  block(text: string): void {
    for (const line of text.trimEnd().split('\n')) this.line(`            ${line}`);
  }

  /** The status line; printed only on a terminal, where it can be repainted. */
  setStatus(text: string): void {
    if (!this.interactive || text === this.status) return;
    this.status = text;
    this.out.write(`\r\x1b[2K${pc.cyan(text.slice(0, 100))}`);
  }

  private line(text: string): void {
    if (this.interactive && this.status !== '') this.out.write('\r\x1b[2K');
    this.out.write(`${text}\n`);
    if (this.interactive && this.status !== '') this.out.write(pc.cyan(this.status.slice(0, 100)));
  }
}

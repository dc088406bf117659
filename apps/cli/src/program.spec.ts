import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flat, treeOf } from './completion/command-tree.js';
import { COMMAND_EXAMPLES } from './examples.js';
import type { Io } from './io.js';
import { buildProgram, runCli } from './program.js';

const run = promisify(execFile);
const ESCAPE = '\u001b';

/** A terminal that is none: nothing is coloured, nobody can be asked. */
function recorder(columns = 100) {
  const lines: string[] = [];
  const io: Io = {
    out: (line) => void lines.push(...line.split('\n')),
    err: (line) => void lines.push(...line.split('\n')),
    ...{ interactive: false, canAsk: false, color: false, columns },
    environment: { servers: [], tokenFile: null, user: 'kim', color: false, columns: null },
    signal: new AbortController().signal,
  };
  return { io, lines };
}

const tree = treeOf(buildProgram(recorder().io, async () => undefined));
const commands = flat(tree);
const paths = commands.map((c) => c.path);
const wordsOf = (path: string): readonly string[] => path.split(' ').filter(Boolean);

const printed = async (...args: readonly string[]): Promise<readonly string[]> => {
  const { io, lines } = recorder();
  expect(await runCli(args, io)).toBe(0);
  return lines;
};

describe.each(paths)('the help of `pointsman %s`', (path) => {
  it('opens with examples, in 100 columns and without colour', async () => {
    const lines = await printed(...wordsOf(path), '--help');
    expect(lines[0]).toBe('Examples:');
    expect(lines[1]).toMatch(/^ {2}pointsman/);
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
    expect(lines.join('\n')).not.toContain(ESCAPE);
  });
});

describe('the examples', () => {
  it('are of every command, and of no other', () => {
    expect(Object.keys(COMMAND_EXAMPLES).toSorted()).toEqual(paths.toSorted());
  });

  it.each(Object.entries(COMMAND_EXAMPLES))(
    'of `pointsman %s` name only commands and options that exist',
    (_, lines) => {
      for (const line of lines
        .join('\n')
        .replaceAll(/\\\n\s*/g, '')
        .split('\n')) {
        const words =
          line
            .replaceAll(/"[^"]*"/g, 'text')
            .split(/ [#>|]/)[0]
            ?.split(' ')
            .slice(1) ?? [];
        const command = commands.findLast(
          (c) =>
            c.path ===
            wordsOf(c.path)
              .map((_word, i) => words[i])
              .join(' '),
        );
        const known = new Set(command?.options.flatMap((o) => o.flags));
        const used = words.filter((w) => /^--?\w/.test(w)).map((w) => w.split('=')[0] ?? '');
        expect({ line, unknown: used.filter((flag) => !known.has(flag)) }).toEqual({ line, unknown: [] });
      }
    },
  );
});

describe('without a terminal', () => {
  it('a command that is wrong says so on stderr and exits 2', async () => {
    const { io, lines } = recorder();
    expect(await runCli(['statsu'], io)).toBe(2);
    expect(lines.join('\n')).toContain('unknown command');
    expect(await runCli(['pause', 'orders'], recorder().io)).toBe(2);
    expect(await runCli(['status', '-o', 'xml'], recorder().io)).toBe(2);
  });

  it('the version is printed before anything else is looked at', async () => {
    expect(await printed('--version')).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+/)]);
  });
});

describe('completion', () => {
  const script = async (shell: string): Promise<string> => (await printed('completion', shell)).join('\n');

  it.each(['bash', 'zsh', 'fish'])('of %s knows every command and every option', async (shell) => {
    const text = await script(shell);
    const missing = commands.flatMap((command) => [
      ...(text.includes(command.name) ? [] : [command.path]),
      ...command.options.flatMap(({ flags }) => {
        const long = flags.at(-1)?.replace(/^--/, '') ?? '';
        return text.includes(shell === 'fish' ? `-l ${long}` : `--${long}`) ? [] : [`${command.path} --${long}`];
      }),
    ]);
    expect(missing).toEqual([]);
    expect(text).not.toContain(ESCAPE);
  });

  describe('in bash itself', () => {
    let dir: string;
    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'pointsman-completion-'));
      await writeFile(join(dir, 'pointsman.bash'), await script('bash'));
    });
    afterAll(() => rm(dir, { recursive: true }));

    const offered = async (...words: readonly string[]): Promise<readonly string[]> => {
      const line = words.map((word) => `'${word}'`).join(' ');
      const ask = `source ${join(dir, 'pointsman.bash')}; COMP_WORDS=(pointsman ${line}); COMP_CWORD=${words.length}; _pointsman; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout } = await run('bash', ['--noprofile', '--norc', '-c', ask], { cwd: dir });
      return stdout.split('\n').filter(Boolean);
    };

    it('offers commands, their commands, options, and the values that may stand behind them', async () => {
      expect(await offered('st')).toEqual(['status']);
      expect(await offered('')).toEqual(tree.commands.map((c) => c.name));
      expect(await offered('audit', '')).toEqual(['list', 'verify']);
      expect(await offered('status', '--w')).toEqual(['--watch']);
      expect(await offered('status', '-o', '')).toEqual(['table', 'json', 'yaml', 'tsv']);
      expect(await offered('completion', '')).toEqual(['bash', 'zsh', 'fish']);
      expect(await offered('token', 'create', 'x', '--role', 'v')).toEqual(['viewer']);
    });

    it('offers files where a file is asked for, and nothing where nobody can guess', async () => {
      expect(await offered('config', 'check', 'point')).toEqual(['pointsman.bash']);
      expect(await offered('break-glass', '--config', 'point')).toEqual(['pointsman.bash']);
      expect(await offered('pause', 'orders', '--reason', '')).toEqual([]);
    });
  });
});

describe('man pages', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'pointsman-man-'));
    await printed('man', '--out', dir);
  });
  afterAll(() => rm(dir, { recursive: true }));

  it('are one of every command', async () => {
    const expected = paths.map((path) => `${['pointsman', ...wordsOf(path)].join('-')}.1`);
    expect((await readdir(dir)).toSorted()).toEqual(expected.toSorted());
  });

  it.each(commands.map((c) => [c.path, c] as const))(
    'of `pointsman %s` names every option and example',
    async (_, command) => {
      const page = (await printed('man', ...wordsOf(command.path))).join('\n').replaceAll('\\-', '-');
      expect(command.options.flatMap((o) => o.flags).filter((flag) => !page.includes(`\\fB${flag}\\fR`))).toEqual([]);
      const examples = COMMAND_EXAMPLES[command.path] ?? [];
      expect(examples.filter((line) => !page.includes(line.replaceAll('\\', '\\e')))).toEqual([]);
    },
  );

  it('are taken by groff without a warning, where there is one', async () => {
    if (!existsSync('/usr/bin/groff')) return;
    const files = (await readdir(dir)).map((name) => join(dir, name));
    const { stderr } = await run('groff', ['-man', '-ww', '-z', '-Tutf8', ...files]);
    expect(stderr).toBe('');
  });
});

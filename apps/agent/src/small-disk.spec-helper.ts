import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import typescript from 'typescript';

const UNIT_BYTES = 512; // of the shell's limit

/**
 * Runs a script in a process whose files may not grow beyond `maxBytes`: a write that needs more takes what fits and says so
 * by its count alone; only the one after it fails. That is how a disk fills up. `module` is one source file of ours that
 * imports nothing but Node; the script reaches it as `./module.js`.
 * @returns what the script printed as JSON.
 */
export async function onSmallDisk(folder: string, module: URL, maxBytes: number, script: string): Promise<unknown> {
  const dir = join(folder, 'small-disk');
  mkdirSync(dir);
  const { outputText } = typescript.transpileModule(readFileSync(fileURLToPath(module), 'utf8'), {
    compilerOptions: {
      target: typescript.ScriptTarget.ES2022,
      module: typescript.ModuleKind.ES2022,
      verbatimModuleSyntax: true,
    },
  });
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  writeFileSync(join(dir, 'module.js'), outputText);
  writeFileSync(join(dir, 'main.js'), script);
  const limited = `ulimit -f ${maxBytes / UNIT_BYTES} && exec "$0" main.js`;
  const { stdout } = await promisify(execFile)('sh', ['-c', limited, process.execPath], { cwd: dir });
  return JSON.parse(stdout);
}

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The proxy's main file as plain Node can run it. From `dist/` it lies there; from sources (vitest) Node 20 cannot
 * run TypeScript in a child process, so the proxy's few files are transpiled into the run folder.
 */
export async function proxyEntry(dir: string): Promise<string> {
  const here = fileURLToPath(import.meta.url);
  const sources = path.join(path.dirname(here), 'proxy');
  if (here.endsWith('.js')) return path.join(sources, 'main.js');

  const { default: typescript } = await import('typescript');
  const target = path.join(dir, 'proxy');
  await mkdir(target, { recursive: true });
  await writeFile(path.join(target, 'package.json'), '{"type":"module"}');
  const names = (await readdir(sources)).filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
  for (const name of names) {
    const source = await readFile(path.join(sources, name), 'utf8');
    const { outputText } = typescript.transpileModule(source, {
      compilerOptions: {
        target: typescript.ScriptTarget.ES2022,
        module: typescript.ModuleKind.ES2022,
        verbatimModuleSyntax: true,
      },
    });
    await writeFile(path.join(target, name.replace(/\.ts$/, '.js')), outputText);
  }
  return path.join(target, 'main.js');
}

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { unpackedFromDebian } from './debian.js';
import { progressToStderr, type Progress } from './progress.js';
import { SetupError } from './setup-error.js';

export type PrometheusBinaries = Readonly<{
  promtool: string;
  alertmanager: string;
  /** Alertmanager must be started with this as its working folder: it holds the templates that it insists on. */
  alertmanagerFolder: string;
}>;

const ALERTMANAGER = 'usr/bin/prometheus-alertmanager';
const TEMPLATES = 'usr/share/prometheus/alertmanager';

/** @returns promtool and Alertmanager, unpacked from the Debian packages into the cache. */
export async function ensurePrometheus(onProgress: Progress = progressToStderr): Promise<PrometheusBinaries> {
  const folder = await unpackedFromDebian({
    folder: 'prometheus-debian',
    packages: ['prometheus', 'prometheus-alertmanager'],
    withDependencies: false,
    programs: ['usr/bin/promtool', ALERTMANAGER, `${TEMPLATES}/default.tmpl`],
    says: 'promtool and Alertmanager (about 60 MB, once)',
    onProgress,
    finish: relocateTemplates,
  });
  return {
    promtool: path.join(folder, 'usr/bin/promtool'),
    alertmanager: path.join(folder, ALERTMANAGER),
    alertmanagerFolder: path.join(folder, TEMPLATES),
  };
}

/**
 * Debian's Alertmanager opens its templates under an absolute path, which exists only where it is installed. That path is
 * rewritten, at equal length, to one that means the working folder: no mount and no root is needed that way.
 */
async function relocateTemplates(folder: string): Promise<void> {
  const program = path.join(folder, ALERTMANAGER);
  const bytes = await readFile(program);
  const from = `/${TEMPLATES}`;
  let found = 0;
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + from.length)) {
    bytes.write('./'.repeat(from.length / 2), at, 'latin1');
    found += 1;
  }
  if (found === 0) throw new SetupError(`${program} does not name ${from}`, 'Report it: Debian changed the package');
  await writeFile(program, bytes);
}

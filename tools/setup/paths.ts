import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json, found from this file so that it is right from sources and from `dist/`. */
export function checkoutRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'package.json'))) {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error('no package.json above tools/setup: run this from a checkout of Pointsman');
    folder = parent;
  }
  return folder;
}

/** Where downloaded servers live: `POINTSMAN_CACHE`, so that several checkouts share one download, or `.cache/` in the checkout. */
export function cacheFolder(): string {
  return path.resolve(process.env['POINTSMAN_CACHE'] ?? path.join(checkoutRoot(), '.cache'));
}

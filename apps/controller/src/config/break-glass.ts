import { ConfigError } from '#platform';
import { loadController } from './load.js';

/**
 * `node break-glass.js FILE`: what `pointsman break-glass` needs of a controller's file, as JSON on stdout; a refused file as
 * `check.js` tells it. Nothing is opened and no secret is read: the files are named.
 */
try {
  const { raw, config } = loadController(process.argv[2] ?? '', {});
  const { store, dataDir, clusters, configCenters } = config;
  const isStore = (center: (typeof configCenters)[number]): boolean =>
    center.type === 'sql' && (center.urlFile ?? center.url) === (store.urlFile ?? store.url);
  const view = {
    dataDir,
    keyFile: raw.breakGlass?.keyFile ?? null,
    clusters: clusters.map(({ name, bootstrapServers }) => ({ name, bootstrapServers })),
    centers: configCenters.map((spec) => ({ spec, isStore: isStore(spec) })),
    groups: config.groups.map(({ watch, publishTo }) => ({ watch, publishTo })),
  };
  process.stdout.write(`${JSON.stringify(view)}\n`);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stdout.write(`${error.message}\n`);
  process.exitCode = 2;
}

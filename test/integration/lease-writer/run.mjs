// Runs a TypeScript entry in its own process straight from the sources: Node 20 cannot, and the tests need no build first.
import { createServer, createServerModuleRunner } from 'vite';

const [, , entry] = process.argv;
const conditions = ['pointsman-source', 'module', 'node', 'development|production'];
const server = await createServer({
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
  environments: { ssr: { resolve: { conditions } } },
});
await createServerModuleRunner(server.environments.ssr, { hmr: false }).import(entry);

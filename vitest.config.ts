import { defineConfig } from 'vitest/config';

/**
 * Four projects, cheapest first. `unit` needs nothing but Node; `integration` starts real servers;
 * `e2e` starts whole labs and therefore runs one file at a time.
 */
const conditions = ['pointsman-source', 'module', 'node', 'development|production'];
/**
 * Real servers on two shared cores: what fails once is run once more, and the output says `(retry x1)` beside it.
 * A test that needs it again and again is a defect of the test or of the product.
 */
const REAL_SERVERS = { retry: 1, fileParallelism: false, setupFiles: ['test/die-with-runner.ts'] };

const shared = { resolve: { conditions }, ssr: { resolve: { conditions } } };

export default defineConfig({
  ...shared,
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['{apps,libs,tools}/**/*.spec.ts', 'test/{docs,scenarios,simulation}/**/*.spec.ts'],
          maxWorkers: '100%', // of the cores; by default one is left to others
          isolate: false, // no module keeps state: files may share a process, and half of their time was loading it anew
          testTimeout: 30_000, // for a machine that does other things too; none waits for a clock
        },
      },
      {
        ...shared,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.spec.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          ...REAL_SERVERS,
        },
      },
      {
        ...shared,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.spec.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          ...REAL_SERVERS,
          sequence: { concurrent: false },
        },
      },
    ],
  },
});

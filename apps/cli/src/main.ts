#!/usr/bin/env node
import { loadEnvironment } from './config/load.js';
import { processIo } from './io.js';
import { runCli } from './program.js';

// A reader that closes the pipe early (`| head`) is no error.
process.stdout.on('error', (e: NodeJS.ErrnoException) => process.exit(e.code === 'EPIPE' ? 0 : 1));

const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopped.abort();
    process.once(signal, () => process.exit(1));
  });
}

process.exitCode = await runCli(process.argv.slice(2), processIo(process, loadEnvironment(), stopped.signal));

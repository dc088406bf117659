/**
 * Set up once per worker of vitest. A worker whose runner was killed would go on alone, with a whole lab, until its tests end.
 * Its own end takes the lab's servers with it. Not `process.exit`, which vitest turns into a failed test.
 */
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

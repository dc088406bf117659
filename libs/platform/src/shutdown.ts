import type { Logger } from './logger.js';

/**
 * SIGTERM or SIGINT closes once, within `graceMs`; a second signal (or the end of the grace) forces the exit with status 1.
 * What `close` throws is logged and makes the status 1: a failed goodbye must not look like a clean one.
 */
export function closeOnSignal(close: () => Promise<unknown>, graceMs: number, logger: Logger): void {
  let closing = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (closing) {
      logger.warn({ signal }, 'second signal: leaving at once');
      process.exit(1);
    }
    closing = true;
    logger.info({ signal }, 'closing');
    const force = setTimeout(() => {
      logger.error({ graceMs }, 'not closed within the grace: leaving');
      process.exit(1);
    }, graceMs);
    force.unref();
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ error }, 'closing failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

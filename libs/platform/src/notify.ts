import { execFile } from 'node:child_process';
import type { Logger } from './logger.js';

/** How this process speaks to the service manager that started it; without one every call does nothing. */
export interface ServiceManager {
  /** The service does its work from now on: units ordered after it may start. Begins to feed the watchdog. */
  ready(): Promise<void>;
  /** A planned stop has begun: the watchdog is fed no more, and the manager does not take the exit for a crash. */
  stopping(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Feeds arrive three times within the manager's patience: one that is late or lost kills nothing yet.
 */
const FEEDS_PER_WATCHDOG = 3;

/** For one run of the program; the manager itself answers in milliseconds. */
const SEND_TIMEOUT_MS = 5_000;

/**
 * systemd's notification protocol by the `systemd-notify` program, because Node has no unix datagram socket. The unit
 * therefore needs `NotifyAccess=all`. Nothing is ever run unless `NOTIFY_SOCKET` is set.
 *
 * The watchdog (`WatchdogSec`) is fed from the event loop, after a whole turn of it: a process whose loop hangs sees no
 * network and judges nothing, though it lives, and is killed and started again. A send that fails is logged and never
 * thrown: whoever cannot reach the manager must not stop working for that.
 * @param env holds NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID; handed on to the program
 */
export function serviceManager(env: Environment, logger: Logger): ServiceManager {
  const socket = env['NOTIFY_SOCKET'];
  if (socket === undefined || socket === '') return { ready: async () => {}, stopping: async () => {} };
  return new SystemdManager(env, watchdogMs(env), logger);
}

/** How long the manager waits for a feed; null without a watchdog, or when it is meant for another process. */
export function watchdogMs(env: Environment, pid = process.pid): number | null {
  const owner = env['WATCHDOG_PID'];
  if (owner !== undefined && owner !== '' && Number(owner) !== pid) return null;
  const microseconds = Number(env['WATCHDOG_USEC'] ?? '0');
  return Number.isFinite(microseconds) && microseconds > 0 ? microseconds / 1000 : null;
}

class SystemdManager implements ServiceManager {
  readonly #env: Environment;
  readonly #watchdogMs: number | null;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | null = null;
  #feeding = false;

  constructor(env: Environment, patienceMs: number | null, logger: Logger) {
    this.#env = env;
    this.#watchdogMs = patienceMs;
    this.#logger = logger;
  }

  async ready(): Promise<void> {
    await this.#send('READY=1');
    if (this.#watchdogMs === null || this.#timer !== null) return;
    // From the check phase: the loop has then polled for I/O since the timer fired.
    this.#timer = setInterval(() => setImmediate(() => void this.#feed()), this.#watchdogMs / FEEDS_PER_WATCHDOG);
    this.#timer.unref();
  }

  async stopping(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#send('STOPPING=1');
  }

  /** One at a time: a program that hangs must not pile up others. */
  async #feed(): Promise<void> {
    if (this.#feeding || this.#timer === null) return;
    this.#feeding = true;
    await this.#send('WATCHDOG=1');
    this.#feeding = false;
  }

  #send(message: string): Promise<void> {
    const options = { env: this.#env, timeout: SEND_TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
    return new Promise((resolve) => {
      execFile('systemd-notify', [message], options, (error) => {
        if (error !== null) {
          this.#logger.warn(
            { error, notify: message },
            'the service manager was not told: is systemd-notify on PATH, and NotifyAccess=all in the unit?',
          );
        }
        resolve();
      });
    });
  }
}

import path from 'node:path';

/** Flags for a small machine: they decide memory (273 MB a broker, 125 MB a worker) and the start time. */
const smallMachine = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];

/** `java` arguments for one main class of Kafka. Its log goes to stderr at `warn`, enough to say why it ended. */
export function javaArgs(options: {
  readonly jars: string;
  readonly runId: string;
  readonly mainClass: string;
  readonly args: readonly string[];
}): string[] {
  return [
    ...smallMachine,
    `-Dpointsman.run=${options.runId}`,
    `-Dorg.slf4j.simpleLogger.defaultLogLevel=${process.env['POINTSMAN_LAB_KAFKA_LOG'] ?? 'warn'}`,
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
    '-cp',
    path.join(options.jars, '*'),
    options.mainClass,
    ...options.args,
  ];
}

/** A Java properties file. Values stay on one line; a backslash is an escape there, so it is doubled. */
export function javaProperties(values: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('');
}

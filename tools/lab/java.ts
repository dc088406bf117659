import { existsSync } from 'node:fs';
import path from 'node:path';

/** Flags for a small machine: they decide memory (273 MB a broker, 125 MB a worker) and the start time. */
const smallMachine = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];

/** Where the JVM's class archives are, and whether this lab writes them or starts with them. */
export type ClassArchives = { readonly mode: 'record' | 'use'; readonly folder: string };

/** Flags of one program under these archives. A missing archive is no error: the start is only slower. */
function archiveFlags(archives: ClassArchives | undefined, program: JavaProgram): string[] {
  if (archives === undefined) return [];
  const file = path.join(archives.folder, `${program === 'connect' ? 'connect' : 'broker'}.jsa`);
  if (archives.mode === 'use') return existsSync(file) ? [`-XX:SharedArchiveFile=${file}`] : [];
  return program === 'format' ? [] : [`-XX:ArchiveClassesAtExit=${file}`];
}

const mainClasses = {
  broker: 'kafka.Kafka',
  format: 'kafka.tools.StorageTool',
  connect: 'org.apache.kafka.connect.cli.ConnectDistributed',
  'mirror-maker': 'org.apache.kafka.connect.mirror.MirrorMaker',
} as const;
export type JavaProgram = keyof typeof mainClasses;

/** `java` arguments for one program of Kafka. Its log goes to stderr at `warn`, enough to say why it ended. */
export function javaArgs(options: {
  readonly jars: string;
  readonly runId: string;
  readonly archives: ClassArchives | undefined;
  readonly program: JavaProgram;
  readonly args: readonly string[];
}): string[] {
  return [
    ...smallMachine,
    ...archiveFlags(options.archives, options.program),
    `-Dpointsman.run=${options.runId}`,
    `-Dorg.slf4j.simpleLogger.defaultLogLevel=${process.env['POINTSMAN_LAB_KAFKA_LOG'] ?? 'warn'}`,
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
    '-cp',
    path.join(options.jars, '*'),
    mainClasses[options.program],
    ...options.args,
  ];
}

/** A Java properties file. Values stay on one line; a backslash is an escape there, so it is doubled. */
export function javaProperties(values: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('');
}

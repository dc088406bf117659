#!/usr/bin/env node
import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { closeOnSignal, ConfigError, createLogger, NestLogger, packageVersion } from '#platform';
import { AgentModule } from './agent.module.js';
import type { AgentConfig } from './config/agent-config.js';
import { loadAgentConfig } from './config/load.js';

const USAGE = `usage: pointsman-agent --config FILE

Watches the Kafka clusters named in FILE, reports to every controller and carries out the leader's goals.

  --config FILE   configuration (YAML, kind: Agent)
  --check         only read the configuration, say what is wrong and leave
  --version       print the version
  --help          print this
`;

/** A planned stop: goodbyes, then the open effects; after it the process leaves anyway. */
const GRACE_MS = 10_000;

function fail(status: number, text: string): never {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
  process.exit(status);
}

function options(): { config: string; check: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        config: { type: 'string' },
        check: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        version: { type: 'boolean', default: false },
      },
    });
    if (values.help || values.version) {
      process.stdout.write(values.help ? USAGE : `${packageVersion()}\n`);
      process.exit(0);
    }
    if (values.config === undefined) fail(2, `--config is required\n\n${USAGE}`);
    return { config: values.config, check: values.check };
  } catch (error) {
    return fail(2, `${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}

function load(file: string): AgentConfig {
  try {
    return loadAgentConfig(file);
  } catch (error) {
    if (error instanceof ConfigError) return fail(2, error.message);
    throw error;
  }
}

const { config: file, check } = options();
const config = load(file);
if (check) process.exit(0);
const logger = createLogger('pointsman-agent', config.logLevel, { 'pointsman.agent': config.agent.id });
const app = await NestFactory.createApplicationContext(AgentModule.register(config, logger), {
  logger: new NestLogger(logger),
  abortOnError: false,
});
closeOnSignal(() => app.close(), GRACE_MS, logger);

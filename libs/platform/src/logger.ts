import type { LoggerService } from '@nestjs/common';
import { pino, type Logger } from 'pino';

export type { Logger } from 'pino';

/** One JSON object a line with ECS field names; secrets never reach it because configuration keeps only file names. */
export function createLogger(service: string, level: string, fields: Readonly<Record<string, string>> = {}): Logger {
  return pino({
    level,
    base: { 'service.name': service, ...fields },
    messageKey: 'message',
    errorKey: 'error',
    timestamp: () => `,"@timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ 'log.level': label }) },
  });
}

/** Nest's own messages through pino. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, context?: string): void {
    this.logger.debug({ 'log.logger': context }, String(message));
  }
  warn(message: unknown, context?: string): void {
    this.logger.warn({ 'log.logger': context }, String(message));
  }
  error(message: unknown, stack?: string, context?: string): void {
    this.logger.error({ 'log.logger': context, 'error.stack_trace': stack }, String(message));
  }
  debug(message: unknown, context?: string): void {
    this.logger.trace({ 'log.logger': context }, String(message));
  }
  verbose(message: unknown, context?: string): void {
    this.logger.trace({ 'log.logger': context }, String(message));
  }
}

export const LOGGER = Symbol('Logger');

import type { Ms } from '#health';
import type { Finding, ReadinessLevel } from './types.js';

export const ok = (what: string): readonly Finding[] => [{ level: 'ok', what }];
export const bad = (level: ReadinessLevel, what: string, fix: string): readonly Finding[] => [{ level, what, fix }];
export const seconds = (ms: Ms): string => `${(ms / 1_000).toFixed(1)} s`;
export const mebibytes = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
/** The first few by name, the rest by number. */
export const some = (names: readonly string[]): string =>
  names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;

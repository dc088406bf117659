import { ensureClassArchives } from './class-archives.js';
import type { Lab } from './lab.js';
import { launchLab } from './launch-lab.js';
import type { LabOptions } from './types.js';

/**
 * Starts a lab and resolves when everything in it serves. Fetches and records what is missing first (a progress line each).
 * On any failure everything already started is taken down again.
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  return launchLab(options, ensureClassArchives);
}

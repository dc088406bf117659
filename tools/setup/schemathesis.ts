import path from 'node:path';

import { checkoutRoot } from './paths.js';
import { progressToStderr, type Progress } from './progress.js';
import { pythonWith } from './python-packages.js';

const VERSION = '4.32.5';

/** @returns a Python with schemathesis and all that it needs, pinned, in a virtual environment of its own in the cache. */
export const ensureSchemathesis = (onProgress: Progress = progressToStderr): Promise<string> =>
  pythonWith(
    {
      folder: `schemathesis-${VERSION}`,
      says: `schemathesis ${VERSION} (about 20 MB, once)`,
      arguments: ['-r', path.join(checkoutRoot(), 'tools/setup/schemathesis.txt')],
    },
    onProgress,
  );

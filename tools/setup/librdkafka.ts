import { progressToStderr, type Progress } from './progress.js';
import { pythonWith } from './python-packages.js';

const VERSION = '2.12.2';

/** @returns a Python with librdkafka (confluent-kafka of PyPI) in a virtual environment of its own in the cache. */
export const ensureLibrdkafka = (onProgress: Progress = progressToStderr): Promise<string> =>
  pythonWith(
    {
      folder: `confluent-kafka-${VERSION}`,
      says: `librdkafka ${VERSION} (about 5 MB, once)`,
      arguments: [`confluent-kafka==${VERSION}`],
    },
    onProgress,
  );

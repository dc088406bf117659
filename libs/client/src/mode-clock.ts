import type { Pointer, PointerMode } from '#config-center';

// Longer than any planned switch; a pointer that asks for more was written by mistake.
const LONGEST_PAUSE_MS = 3_600_000;

/**
 * The mode in force: the pointer's, until its `maxMs` has passed here. Counted by the local clock from the moment the
 * pointer was seen, so never before the controllers count theirs as over, and without the config center (I30).
 */
export class ModeClock {
  private readonly expired: (pointer: Pointer) => void;
  private timer: NodeJS.Timeout | null = null;
  private now: PointerMode = 'ACTIVE';

  constructor(expired: (pointer: Pointer) => void) {
    this.expired = expired;
  }

  mode(): PointerMode {
    return this.now;
  }

  enter(pointer: Pointer): void {
    this.stop();
    this.now = pointer.mode;
    if (pointer.mode === 'ACTIVE') return;
    const pauseMs = Math.min(pointer.maxMs ?? LONGEST_PAUSE_MS, LONGEST_PAUSE_MS);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.now = 'ACTIVE';
      this.expired(pointer);
    }, pauseMs);
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}

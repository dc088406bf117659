import type { ControllerConfig, GroupConfig } from './compile.js';

/**
 * The configuration in force. `view` is what features hold: its keys that may change while the controller runs always
 * answer with the newest; all others are of the start. {@link LiveConfig.replace} changes them at one instant.
 */
export class LiveConfig {
  readonly view: ControllerConfig;

  constructor(private current: ControllerConfig) {
    const now = (): ControllerConfig => this.current;
    this.view = Object.freeze({
      ...current,
      get groups() {
        return now().groups;
      },
      get policyDigest() {
        return now().policyDigest;
      },
      get logLevel() {
        return now().logLevel;
      },
      get store() {
        return now().store;
      },
    });
  }

  /** Groups that did not change stay the same objects, so that their windows go on: see `DecisionEvaluator`. */
  replace(next: ControllerConfig): void {
    const before = new Map(this.current.groups.map((g) => [g.name, g]));
    this.current = { ...next, groups: next.groups.map((group) => unchanged(before.get(group.name), group)) };
  }
}

const unchanged = (before: GroupConfig | undefined, after: GroupConfig): GroupConfig =>
  before !== undefined && JSON.stringify(before) === JSON.stringify(after) ? before : after;

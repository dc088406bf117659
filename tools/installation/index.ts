/** Pointsman as its users run it, installed on a lab: for the demo, the end-to-end tests, the bench and the soak. */
export { connectorNames, type FurtherReceivers, GROUP } from './config-files.js';
export { type GroupStatus, Installation, type InstallationOptions } from './installation.js';
export { Operator } from './operator.js';
export { DEFAULT_PROFILE, DEMO_PROFILE, FAST_PROFILE } from './profiles.js';

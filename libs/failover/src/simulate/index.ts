export { parseScenario } from './parse-scenario.js';
export { ScenarioError } from './read.js';
export { runScenario, type ScenarioRun } from './run-scenario.js';
export * from './sample-snapshot.js';
export * from './scenario.js';
export { VIEWS, viewNamed, type View } from './views.js';

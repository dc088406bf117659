/**
 * The borders of docs/architecture.md as rules. A file's room says what it may touch; a broken border is a failed check.
 */
const lib = (name) => `^libs/${name}/`;

const mayOnlyImport = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: '\\.spec(-helper)?\\.ts$|\\.conformance\\.ts$' },
  to: { path: '^(libs|apps|tools|test)/', pathNot: [from, ...allowed.map(lib)] },
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    mayOnlyImport('health-is-alone', '^libs/health/', [], 'pure: samples, votes, verdicts'),
    mayOnlyImport('failover-knows-health', '^libs/failover/', ['health'], 'pure: matrix, sagas'),
    mayOnlyImport('rpc-maps-the-domain', '^libs/rpc/', ['health', 'failover'], 'wire to domain'),
    mayOnlyImport('kafka-serves-the-domain', '^libs/kafka/', ['health', 'failover'], 'ports and adapters'),
    mayOnlyImport('config-center-stands-alone', '^libs/config-center/', ['health', 'failover'], 'port and adapters'),
    mayOnlyImport('platform-stands-alone', '^libs/platform/', ['health', 'failover'], 'glue'),
    mayOnlyImport('client-knows-the-pointer', '^libs/client/', ['config-center'], 'what service owners link'),
    {
      name: 'pure-libraries-import-no-packages',
      severity: 'error',
      from: { path: '^libs/(health|failover)/', pathNot: '\\.spec(-helper)?\\.ts$' },
      to: { path: 'node_modules', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'pure-libraries-import-no-node',
      severity: 'error',
      from: { path: '^libs/(health|failover)/', pathNot: '\\.spec(-helper)?\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-app-imports-another',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: '\\.spec(-helper)?\\.ts$' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'src-never-imports-test-code',
      severity: 'error',
      from: { path: '^(apps|libs/(?!testing/))', pathNot: '\\.(spec|spec-helper|conformance)\\.ts$' },
      to: { path: '^(libs/testing|test|tools)/' },
    },
    {
      name: 'libraries-are-entered-by-their-index',
      severity: 'error',
      from: { path: '^(apps|libs|tools|test)/([^/]+)/' },
      to: { path: '^libs/([^/]+)/src/(?!index\\.ts$)', pathNot: ['^libs/$2/', '\\.conformance\\.ts$'] },
    },
    {
      name: 'features-meet-at-ports',
      comment: 'inside the controller a feature imports only the port or the module of another',
      severity: 'error',
      from: {
        path: '^apps/controller/src/(observation|decision|saga|leadership|publishing|alerting|operator|metrics|persistence)/',
        pathNot: '\\.(spec|spec-helper|conformance)\\.ts$',
      },
      to: {
        path: '^apps/controller/src/(observation|decision|saga|leadership|publishing|alerting|operator|metrics|persistence)/',
        pathNot: ['^apps/controller/src/$1/', '\\.(port|module)\\.ts$'],
      },
    },
    {
      name: 'decision-holds-no-effects',
      severity: 'error',
      from: { path: '^apps/controller/src/decision/', pathNot: '\\.spec(-helper)?\\.ts$' },
      to: {
        path: [
          '^apps/controller/src/(publishing|alerting)/(?!.*\\.port\\.ts$)',
          'node_modules/typeorm',
          'node_modules/kafkajs',
          '^libs/kafka/',
        ],
      },
    },
    {
      name: 'platformatic-only-in-libs-kafka',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '^libs/kafka/' },
      to: { path: 'node_modules/@platformatic/kafka' },
    },
    {
      name: 'kafkajs-only-in-libs-client',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '^libs/client/' },
      to: { path: 'node_modules/kafkajs' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|libs/rpc/src/generated)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['pointsman-source', 'import', 'node', 'default'],
      exportsFields: ['exports'],
    },
    moduleSystems: ['es6'],
  },
};

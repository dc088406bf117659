import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { type ConfigCenter, openConfigCenter } from '#config-center';
import { CLOCK, type Logger, LOGGER, packageVersion, readSecretFile, systemClock } from '#platform';
import { ALERTING_OPTIONS } from '../alerting/alerting.options.js';
import { METRICS_OPTIONS, type MetricsOptions } from '../metrics/metrics.options.js';
import { OBSERVATION_OPTIONS, type ObservationOptions } from '../observation/observation.options.js';
import { OPERATOR_OPTIONS, type OperatorOptions } from '../operator/operator.options.js';
import { PUBLISHING_OPTIONS, type PublishingModuleOptions } from '../publishing/publishing.options.js';
import { GROUP_KEEPER_DEFAULTS } from '../publishing/group-keeper.js';
import { PUBLISHING_DEFAULTS } from '../publishing/publishing-service.js';
import { SAGA_OPTIONS, SAGA_TIMES, type SagaOptions } from '../saga/saga-options.js';
import { alertingOptions } from './alerting-options.js';
import type { ControllerConfig } from './compile.js';
import { CONTROLLER_CONFIG } from './load.js';

const CENTERS = Symbol('ConfigCenters');

/** Tells every feature its part of the configuration; opens the config centers and closes them last. */
@Module({})
export class SettingsModule implements OnApplicationShutdown {
  constructor(@Inject(CENTERS) private readonly centers: ReadonlyMap<string, ConfigCenter>) {}

  static forRoot(config: ControllerConfig, logger: Logger): DynamicModule {
    const centers = new Map(config.configCenters.map((spec) => [spec.name, openConfigCenter(spec)]));
    const values = [
      { provide: CONTROLLER_CONFIG, useValue: config },
      { provide: CLOCK, useValue: systemClock },
      { provide: LOGGER, useValue: logger },
      { provide: CENTERS, useValue: centers },
      { provide: ALERTING_OPTIONS, useValue: alertingOptions(config.alerts) },
      { provide: METRICS_OPTIONS, useValue: metricsOptions(config) },
      { provide: OBSERVATION_OPTIONS, useValue: observationOptions(config) },
      { provide: OPERATOR_OPTIONS, useValue: operatorOptions(config) },
      { provide: PUBLISHING_OPTIONS, useValue: publishingOptions(config, centers) },
      { provide: SAGA_OPTIONS, useValue: sagaOptions(config) },
    ];
    return { module: SettingsModule, global: true, providers: values, exports: values.map((v) => v.provide) };
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.centers.values()].map((center) => center.close()));
  }
}

const metricsOptions = (config: ControllerConfig): MetricsOptions => ({
  groups: config.groups.map((g) => g.name),
  version: packageVersion(),
});

const observationOptions = (config: ControllerConfig): ObservationOptions => ({
  controllerId: config.id,
  grpc: config.grpc,
  leaseTtlMs: config.lease.ttlMs,
  probe: config.probe,
  clusters: config.clusters,
  observers: config.observers,
  groups: config.groups.map(({ watch, publishTo }) => ({
    watch,
    placement: {
      storeSurvives: config.store.survives,
      configCenterSurvives: config.configCenters.find((c) => c.name === publishTo[0])?.survives ?? [],
    },
  })),
});

const operatorOptions = (config: ControllerConfig): OperatorOptions => ({
  controllerId: config.id,
  version: packageVersion(),
  token: config.http.tokenFile === null ? null : readSecretFile(config.http.tokenFile),
  rateLimit: config.http.rateLimit,
  oidc: config.http.oidc,
  observerIdcs: config.observers.map((o) => o.idc),
  get groups() {
    return config.groups.map(({ name, clusters, policy, mode, watch: { consumerGroups, principals } }) => ({
      ...{ name, clusters: clusters.map((c) => c.name), consumerGroups, principals, policy, mode },
    }));
  },
});

const publishingOptions = (
  config: ControllerConfig,
  centers: ReadonlyMap<string, ConfigCenter>,
): PublishingModuleOptions => ({
  centers,
  publishing: {
    ...PUBLISHING_DEFAULTS,
    controller: config.id,
    canaryMs: config.writeCanaryMs,
    groups: config.groups.map(({ name, publishTo }) => ({ name, publishTo })),
  },
  keeper: { ...GROUP_KEEPER_DEFAULTS, controller: config.id, groups: config.groups },
});

const sagaOptions = (config: ControllerConfig): SagaOptions => ({
  get groups() {
    return config.groups;
  },
  times: SAGA_TIMES,
  controller: config.id,
  crashPoint: config.crashAt,
});

import { describe, expect, it } from 'vitest';
import type { ClusterLayout, ConfigTable } from '#kafka';
import { topicSettings } from './topic-settings.js';

const partition = { partition: 0, leader: 1, replicas: [1, 2, 3], isr: [1, 2, 3] };
const layout: ClusterLayout = {
  clusterId: 'c',
  brokers: [],
  topics: new Map([['orders', { name: 'orders', internal: false, errorCode: 0, partitions: [partition] }]]),
};
const configs = (values: Readonly<Record<string, string | null>>): ConfigTable =>
  new Map([['orders', new Map(Object.entries(values).map(([key, value]) => [key, { value, set: true }]))]]);
const settings = (values: Readonly<Record<string, string | null>>) =>
  topicSettings(layout, configs(values), () => true)[0];

describe.each([
  ['retention.ms', 'retentionMs'],
  ['retention.bytes', 'retentionBytes'],
] as const)('%s', (key, field) => {
  it.each([
    ['604800000', 604_800_000],
    ['-1', -1],
    ['9223372036854775807', -1], // how many say "for ever"; nothing that large fits a report
    ['9007199254740992', -1],
    [null, null],
    ['often', null],
  ])('%s is %s', (text, limit) => {
    expect(settings({ [key]: text })).toMatchObject({ topic: 'orders', [field]: limit });
  });
});

import { labPassword, labUsers, type LabUser } from './types.js';

const PLAIN_MODULE = 'org.apache.kafka.common.security.plain.PlainLoginModule';
const SCRAM_MODULE = 'org.apache.kafka.common.security.scram.ScramLoginModule';

/** What a broker needs on each listener. No ANONYMOUS super user: the controllers log in too. */
export function saslBrokerProperties(listeners: readonly string[]): Record<string, string> {
  const users = labUsers.map((user) => `user_${user}="${labPassword(user)}"`).join(' ');
  const properties: Record<string, string> = {
    'sasl.mechanism.inter.broker.protocol': 'PLAIN',
    'sasl.mechanism.controller.protocol': 'PLAIN',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': 'false',
    'super.users': 'User:admin;User:mm2',
  };
  for (const listener of listeners) {
    const prefix = `listener.name.${listener.toLowerCase()}`;
    const isController = listener === 'CONTROLLER';
    properties[`${prefix}.sasl.enabled.mechanisms`] = isController ? 'PLAIN' : 'PLAIN,SCRAM-SHA-256';
    properties[`${prefix}.plain.sasl.jaas.config`] =
      `${PLAIN_MODULE} required username="admin" password="${labPassword('admin')}" ${users};`;
    if (!isController) properties[`${prefix}.scram-sha-256.sasl.jaas.config`] = `${SCRAM_MODULE} required;`;
  }
  return properties;
}

/** Client properties of one user, each with `prefix` in front (`producer.`, `source.cluster.`, …). */
export function saslClientProperties(user: LabUser, prefix = ''): Record<string, string> {
  return {
    [`${prefix}security.protocol`]: 'SASL_PLAINTEXT',
    [`${prefix}sasl.mechanism`]: 'PLAIN',
    [`${prefix}sasl.jaas.config`]: `${PLAIN_MODULE} required username="${user}" password="${labPassword(user)}";`,
  };
}

/** Arguments of `StorageTool format` that give each user its SCRAM credential from the first start. */
export function scramFormatArgs(): string[] {
  return labUsers.flatMap((user) => ['--add-scram', `SCRAM-SHA-256=[name=${user},password=${labPassword(user)}]`]);
}

import { type LabIdc, labPassword, type LabUser } from '#lab';
import { type InstallationPlan, secretFile } from './config-files.js';

/**
 * What the entry of a cluster in an agent's file says beside its addresses: nothing in a lab without an authorizer. In a
 * `sasl` lab the witness has its lesser rights, `app` is the ordinary principal, and nobody has to be exempt from the fence:
 * MirrorMaker is a super user.
 */
export async function clusterAccess(
  plan: Pick<InstallationPlan, 'dir' | 'lab'>,
  idc: LabIdc,
): Promise<Readonly<Record<string, unknown>>> {
  if (plan.lab.security === 'plaintext') return {};
  const login = async (username: LabUser) => ({
    protocol: 'SASL_PLAINTEXT',
    sasl: {
      mechanism: 'PLAIN',
      username,
      passwordFile: await secretFile(plan, `kafka-${username}.password`, labPassword(username)),
    },
  });
  return {
    security: await login(idc === 'c' ? 'witness' : 'agent'),
    ordinary: { security: await login('app') },
    fence: { exempt: [] },
  };
}

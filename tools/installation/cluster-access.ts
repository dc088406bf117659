import { type Lab, type LabIdc, labPassword, type LabUser } from '#lab';

/**
 * What the entry of a cluster in an agent's file says beside its addresses: nothing in a lab without an authorizer. In a
 * `sasl` lab the witness has its lesser rights, `app` is the ordinary principal, and nobody has to be exempt from the fence:
 * MirrorMaker is a super user.
 * @param secretFile writes a secret to a file of that name and says where it lies
 */
export async function clusterAccess(
  lab: Lab,
  idc: LabIdc,
  secretFile: (name: string, secret: string) => Promise<string>,
): Promise<Readonly<Record<string, unknown>>> {
  if (lab.security === 'plaintext') return {};
  const login = async (username: LabUser) => ({
    protocol: 'SASL_PLAINTEXT',
    sasl: {
      mechanism: 'PLAIN',
      username,
      passwordFile: await secretFile(`kafka-${username}.password`, labPassword(username)),
    },
  });
  return {
    security: await login(idc === 'c' ? 'witness' : 'agent'),
    ordinary: { security: await login('app') },
    fence: { exempt: [] },
  };
}

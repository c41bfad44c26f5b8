import { DaosError } from '@daos/common';
import { DrpcModule, SecMethod } from '@daos/drpc';
import type { Xstream } from '@daos/engine';
import { encodeMessage } from '@daos/proto';
import { ValidateCredReq, ValidateCredResp } from '@daos/proto/security/auth';

import { authSysFromToken, credentialDecode, type AuthSys } from '../auth.js';

/**
 * Has daos_server prove a client's credential; returns whose it is. System xstream only. Throws DER_NO_PERM (the proof
 * fails), DER_NO_CERT, DER_BAD_CERT, DER_INVAL (a part is missing), DER_PROTO (not a credential).
 */
export async function dsSecValidateCredential(
  xs: Pick<Xstream, 'callServer'>,
  credential: Uint8Array,
): Promise<AuthSys> {
  const request = encodeMessage(ValidateCredReq, { cred: credentialDecode(credential) });
  const body = await xs.callServer(DrpcModule.SEC, SecMethod.VALIDATE_CREDS, request);
  let response: ValidateCredResp;
  try {
    response = ValidateCredResp.decode(body);
  } catch (error) {
    throw new DaosError('PROTO', 'daos_server answered no identity', { cause: error });
  }
  if (response.status !== 0) throw DaosError.fromStatus(response.status, 'the credential was not accepted by daos_server');
  return authSysFromToken(response.token);
}

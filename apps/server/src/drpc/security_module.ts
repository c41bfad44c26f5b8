import { DaosError, isDaosError } from '@daos/common';
import { SecMethod, type DrpcHandler } from '@daos/drpc';
import { encodeMessage } from '@daos/proto';
import { ValidateCredReq, ValidateCredResp } from '@daos/proto/security/auth';
import { verifyCredential, type CredentialTrust } from '@daos/security/credential';

/** Engines have clients' credentials proven here: module SEC of dRPC. */
export function securityModule(trust: CredentialTrust): DrpcHandler {
  return async (method, body) => {
    if (method !== SecMethod.VALIDATE_CREDS) throw new DaosError('NOSYS', `security method ${method}`);
    return encodeMessage(ValidateCredResp, await validate(decode(body), trust));
  };
}

function decode(body: Uint8Array): ValidateCredReq {
  try {
    return ValidateCredReq.decode(body);
  } catch (cause) {
    throw new DaosError('PROTO', 'request cannot be decoded', { cause });
  }
}

async function validate(request: ValidateCredReq, trust: CredentialTrust): Promise<ValidateCredResp> {
  try {
    return { status: 0, token: await verifyCredential(request.cred, trust) };
  } catch (error) {
    if (!isDaosError(error)) throw error;
    return { status: error.status, token: undefined };
  }
}

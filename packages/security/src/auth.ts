import { DaosError } from '@daos/common';
import { encodeMessage } from '@daos/proto';
import { Credential, Flavor, Sys, type Token } from '@daos/proto/security/auth';

/** Longest host name of the platform. */
const MACHINE_NAME_MAX = 64;

/** Who a client is: principals as `name@`. `groups` are all but the primary one. */
export interface AuthSys {
  readonly machineName: string;
  readonly user: string;
  readonly group: string;
  readonly groups: readonly string[];
  /** Label of a security module, empty without one. */
  readonly securityContext: string;
}

/** The identity part of a credential, to be signed. The same identity always gives the same bytes. */
export function authSysToToken(sys: AuthSys): Token {
  const data = encodeMessage(Sys, {
    stamp: 0n,
    machinename: sys.machineName,
    user: sys.user,
    group: sys.group,
    groups: [...sys.groups],
    secctx: sys.securityContext,
  });
  return { flavor: Flavor.AUTH_SYS, data };
}

/** Throws DER_PROTO for another flavour or unreadable data, DER_INVAL for a machine name that none can have. */
export function authSysFromToken(token: Token | undefined): AuthSys {
  if (token?.flavor !== Flavor.AUTH_SYS) throw new DaosError('PROTO', 'the credential is not of flavour AUTH_SYS');
  let sys: Sys;
  try {
    sys = Sys.decode(token.data);
  } catch (error) {
    throw new DaosError('PROTO', 'the identity in the credential cannot be read', { cause: error });
  }
  const { machinename } = sys;
  if (machinename === '' || Buffer.byteLength(machinename) > MACHINE_NAME_MAX) {
    throw new DaosError('INVAL', `the credential's machine name has ${Buffer.byteLength(machinename)} bytes, not 1 to ${MACHINE_NAME_MAX}`);
  }
  return {
    machineName: machinename,
    user: sys.user,
    group: sys.group,
    groups: sys.groups,
    securityContext: sys.secctx,
  };
}

/**
 * The identity that a credential claims, without any proof: for what needs only the claim (whose handle, which
 * machine), after the credential was validated once. Throws DER_PROTO, DER_INVAL.
 */
export function credentialOrigin(credential: Uint8Array): AuthSys {
  return authSysFromToken(credentialDecode(credential).token);
}

/** Throws DER_PROTO for bytes that are not a credential. */
export function credentialDecode(bytes: Uint8Array): Credential {
  try {
    return Credential.decode(bytes);
  } catch (error) {
    throw new DaosError('PROTO', 'the credential cannot be read', { cause: error });
  }
}

export function credentialEncode(credential: Credential): Uint8Array {
  return encodeMessage(Credential, credential);
}

/** Every principal group of an identity, the primary one included, each once. */
export function allGroups(sys: AuthSys): ReadonlySet<string> {
  return new Set([sys.group, ...sys.groups]);
}

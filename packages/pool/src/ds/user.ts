import { messageCodec, f } from '@daos/cart';
import type { AuthSys } from '@daos/security/rpc';

/** A pool handle as the service keeps it: how it was connected, what it may do, and whose it is. */
export interface PoolHandleRecord {
  readonly flags: number;
  /** PoolCapa bits. */
  readonly capas: number;
  readonly user: AuthSys;
}

const userFields = {
  machineName: f.str,
  user: f.str,
  group: f.str,
  groups: f.array(f.str),
  securityContext: f.str,
};
const handleCodec = messageCodec({ flags: f.u32, capas: f.u32, user: f.struct(userFields) });

export function handleEncode(record: PoolHandleRecord): Uint8Array {
  return handleCodec.encode(record);
}

export function handleDecode(bytes: Uint8Array): PoolHandleRecord {
  return handleCodec.decode(bytes);
}

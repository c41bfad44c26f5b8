import type { Uuid } from '@daos/common';
import type { DcPool } from '@daos/pool/dc';

import { ContOpenFlag, type ContChecksum, type ContInfo } from '../types.js';
import type { DcCont } from './container.js';

/** Reply of an open. */
export interface OpenReply {
  readonly info: Omit<ContInfo, 'label'> & { readonly label?: string | undefined };
  readonly capas: number;
  readonly checksum?: ContChecksum | undefined;
  readonly redundancyFactor: number;
  readonly redundancyLevel: number;
  readonly objectVersion: number;
}

export function openedCont(pool: DcPool, handle: Uuid, flags: number, reply: OpenReply): DcCont {
  const info: ContInfo = { ...reply.info, label: reply.info.label };
  return {
    pool,
    uuid: info.uuid,
    label: info.label,
    handle,
    flags,
    writable: (flags & ContOpenFlag.RO) === 0,
    capas: reply.capas,
    checksum: reply.checksum,
    redundancyFactor: reply.redundancyFactor,
    redundancyLevel: reply.redundancyLevel,
    objectVersion: reply.objectVersion,
    info,
  };
}

import { ContOpenFlag as OpenFlag, type Epoch, type Uuid } from '@daos/common';

export { ContCapability as ContCapa } from '@daos/common';

/** How a container is opened, numbered as in DAOS: exactly one of RO, RW, EX; the others modify it. */
export const ContOpenFlag = { ...OpenFlag, NEW_LAYOUT: 128 } as const;

/** Counters and times of a container. */
export interface ContInfo {
  readonly uuid: Uuid;
  readonly label: string | undefined;
  readonly latestSnapshot: Epoch;
  readonly snapshotCount: number;
  readonly handleCount: number;
  /** HLC values. */
  readonly openTime: Epoch;
  readonly modifyTime: Epoch;
}

/** Checksum settings of a container; undefined where checksums are off. */
export interface ContChecksum {
  /** DAOS's checksum type number (crc16 1, crc32 2, ...). */
  readonly type: number;
  readonly chunkBytes: number;
  readonly serverVerify: boolean;
}

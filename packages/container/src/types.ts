import type { Epoch, Uuid } from '@daos/common';

/** How a container is opened, numbered as in DAOS: exactly one of RO, RW, EX; the others modify it. */
export const ContOpenFlag = {
  RO: 1,
  RW: 2,
  EX: 4,
  FORCE: 8,
  RO_MDSTATS: 16,
  EVICT: 32,
  EVICT_ALL: 64,
  NEW_LAYOUT: 128,
} as const;

/** What a container handle may do, numbered as in DAOS. */
export const ContCapa = {
  READ_DATA: 0x1,
  WRITE_DATA: 0x2,
  GET_PROP: 0x4,
  SET_PROP: 0x8,
  GET_ACL: 0x10,
  SET_ACL: 0x20,
  SET_OWNER: 0x40,
  DELETE: 0x80,
  OPEN_EX: 0x100,
  EVICT_ALL: 0x200,
} as const;

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

import { DaosError } from '@daos/common';

import { viewOf } from '../layout/bytes.js';
import { IndexKey } from '../layout/index_key.js';
import { Meta, Space } from '../layout/spaces.js';
import type { LmdbStore } from './lmdb_store.js';

/** Where a recovery begins: the generation of the log, and the number of its first record. */
export interface LogPosition {
  readonly generation: number;
  readonly sequence: number;
}

/**
 * The row in the index: version u32 | generation u32 | sequence u32, big endian. Version 1 had no version field and
 * lay under another key: software that knows only that one does not find it, and leaves the index alone.
 */
const VERSION = 2;
const ROW_BYTES = 12;
const ROW_BYTES_V1 = 8;
/** Second byte of the row's key, in the META space. */
const META_LOG_POSITION = 0x10;

/** DER_DF_INVAL when there is none, DER_DF_INCOMPT when it is of an unknown version. */
export function positionRead(store: LmdbStore): LogPosition {
  const row = store.getBinaryFast(positionKey());
  if (row) {
    const view = new DataView(row.buffer, row.byteOffset, row.length);
    const version = row.length >= 4 ? view.getUint32(0) : 0;
    if (version !== VERSION || row.length !== ROW_BYTES) {
      throw new DaosError('DF_INCOMPT', `the index has a log of version ${version}; this software knows up to ${VERSION}: use a newer one`);
    }
    return { generation: view.getUint32(4), sequence: view.getUint32(8) };
  }
  const old = store.getBinaryFast(positionKeyV1());
  if (old?.length !== ROW_BYTES_V1) throw new DaosError('DF_INVAL', 'the index has no log position');
  const view = new DataView(old.buffer, old.byteOffset, ROW_BYTES_V1);
  return { generation: view.getUint32(0), sequence: view.getUint32(4) };
}

/** Puts the row, within a synchronous transaction; one of version 1 goes. */
export function positionReplace(store: LmdbStore, position: LogPosition): void {
  store.putSync(positionKey(), positionEncode(position));
  store.removeSync(positionKeyV1());
}

export function positionKey(): IndexKey {
  return new IndexKey().space(Space.META).u8(META_LOG_POSITION);
}

export function positionEncode({ generation, sequence }: LogPosition): Uint8Array {
  const bytes = new Uint8Array(ROW_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, VERSION);
  view.setUint32(4, generation);
  view.setUint32(8, sequence);
  return bytes;
}

function positionKeyV1(): IndexKey {
  return new IndexKey().space(Space.META).u8(Meta.LOG);
}

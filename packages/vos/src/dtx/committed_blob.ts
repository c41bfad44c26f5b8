import { DaosError } from '@daos/common';

import { viewOf } from '../layout/bytes.js';
import type { CommittedDtx } from './committed_table.js';

/**
 * A batch of committed transactions as one value, big endian: magic u32 | format u8 | zeros (3) | count u32 |
 * per entry: uuid (16) | hlc u64 | epoch u64 | commit time u32.
 */
const MAGIC = 0x2502191c;
const FORMAT = 1;
const HEAD_BYTES = 12;
const ENTRY_BYTES = 36;
/** Entries of one blob; a commit has no more. */
export const COMMITTED_BLOB_ENTRIES_MAX = 4096;

export function committedBlobEncode(entries: readonly CommittedDtx[]): Uint8Array {
  const count = entries.length;
  if (count === 0 || count > COMMITTED_BLOB_ENTRIES_MAX) {
    throw new DaosError('INVAL', `a batch of ${count} committed transactions: give 1 to ${COMMITTED_BLOB_ENTRIES_MAX}`);
  }
  const bytes = new Uint8Array(HEAD_BYTES + count * ENTRY_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, MAGIC);
  bytes[4] = FORMAT;
  view.setUint32(8, count);
  let at = HEAD_BYTES;
  for (const { uuid, hlc, epoch, commitTime } of entries) {
    bytes.set(uuid, at);
    view.setBigUint64(at + 16, hlc);
    view.setBigUint64(at + 24, epoch);
    view.setUint32(at + 32, commitTime);
    at += ENTRY_BYTES;
  }
  return bytes;
}

/** The batch; UUIDs are views of `bytes`. DER_IO for anything that `committedBlobEncode` does not make. */
export function committedBlobDecode(bytes: Uint8Array): CommittedDtx[] {
  const view = viewOf(bytes);
  if (bytes.length < HEAD_BYTES || view.getUint32(0) !== MAGIC) throw damaged('it is none');
  if (bytes[4] !== FORMAT) throw damaged(`it has format ${bytes[4]}, this program knows format ${FORMAT}`);
  const count = view.getUint32(8);
  if (count === 0 || count > COMMITTED_BLOB_ENTRIES_MAX || bytes.length !== HEAD_BYTES + count * ENTRY_BYTES) {
    throw damaged(`it counts ${count} entries in ${bytes.length} bytes`);
  }
  const entries: CommittedDtx[] = [];
  for (let i = 0, at = HEAD_BYTES; i < count; i++, at += ENTRY_BYTES) {
    const hlc = view.getBigUint64(at + 16);
    const epoch = view.getBigUint64(at + 24);
    if (hlc === 0n || epoch === 0n) throw damaged(`entry ${i} has no transaction id or epoch`);
    entries.push({ uuid: bytes.subarray(at, at + 16), hlc, epoch, commitTime: view.getUint32(at + 32) });
  }
  return entries;
}

function damaged(why: string): DaosError {
  return new DaosError('IO', `damaged batch of committed transactions: ${why}`);
}

import { DaosError } from '@daos/common';

export type Direction = 'toUser' | 'fromUser';

/** A stretch of media with its memory; without memory it is a hole. */
interface CopyRegion {
  readonly bytes: number;
  readonly buffer: Uint8Array | undefined;
}

/**
 * Walks regions and user buffers side by side and copies. A hole passes user space without touching it. The result is
 * how many user bytes were passed. DER_REC2BIG when the user's buffers end first, DER_INVAL for one that is missing or
 * empty where data should go.
 */
export function copySgl(
  regions: readonly CopyRegion[],
  users: readonly (Uint8Array | null | undefined)[],
  direction: Direction,
): number {
  let part = 0;
  let at = 0;
  let passed = 0;
  for (const { bytes, buffer } of regions) {
    let done = 0;
    while (done < bytes) {
      const user = userBuffer(users, part);
      const length = Math.min(bytes - done, user.length - at);
      if (buffer && direction === 'toUser') user.set(buffer.subarray(done, done + length), at);
      else if (buffer) buffer.set(user.subarray(at, at + length), done);
      done += length;
      at += length;
      if (at === user.length) {
        part++;
        at = 0;
      }
    }
    passed += bytes;
  }
  return passed;
}

function userBuffer(users: readonly (Uint8Array | null | undefined)[], part: number): Uint8Array {
  if (part >= users.length) throw new DaosError('REC2BIG', `the data does not fit the ${users.length} buffers of the user`);
  const user = users[part];
  if (!user || user.length === 0) throw new DaosError('INVAL', `buffer ${part} of the user is missing or empty`);
  return user;
}

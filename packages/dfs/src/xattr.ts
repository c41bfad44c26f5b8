import { Cond, isDaosError } from '@daos/common';

import { isMissing } from './entry.js';
import { DfsError, dfsCall } from './error.js';
import type { FileSystem } from './file_system.js';
import type { EntryPlace } from './handle.js';
import { XATTR_NAME_BYTES_MAX, XATTR_PREFIX, XATTR_VALUE_BYTES_MAX } from './layout.js';

/** Extended attributes of one entry: single values under akeys `x:NAME` of the entry's dkey. */
export class XattrStore {
  constructor(
    private readonly fs: FileSystem,
    private readonly place: EntryPlace,
    private readonly touch: () => Promise<void>,
  ) {}

  /**
   * Sets an attribute; the value may be empty. `create`: EEXIST when it is there; `replace`: ENODATA when it is not.
   * EINVAL for a name over 255 or a value over 64 KiB.
   */
  async set(name: string, value: Uint8Array, options: { create?: boolean; replace?: boolean } = {}): Promise<void> {
    const { folder, name: entry, path } = this.place;
    const akey = this.akey('setxattr', name);
    this.fs.requireWritable('setxattr', path);
    if (value.length > XATTR_VALUE_BYTES_MAX) {
      throw new DfsError('EINVAL', 'setxattr', path, `a value has at most ${XATTR_VALUE_BYTES_MAX} bytes, got ${value.length}`);
    }
    const flags = Cond.DKEY_UPDATE | (options.create ? Cond.AKEY_INSERT : 0) | (options.replace ? Cond.AKEY_UPDATE : 0);
    await dfsCall('setxattr', path, async () => {
      try {
        await folder.update(undefined, entry, [{ akey, type: 'single', value }], { flags });
      } catch (error) {
        if (options.replace && isMissing(error)) throw new DfsError('ENODATA', 'setxattr', path, `no attribute "${name}"`);
        throw error;
      }
      await this.touch();
    });
  }

  /** ENODATA when the attribute is absent. */
  async get(name: string): Promise<Buffer> {
    const { folder, name: entry, path } = this.place;
    const akey = this.akey('getxattr', name);
    return dfsCall('getxattr', path, async () => {
      try {
        const [value] = await folder.fetch(undefined, entry, [{ akey, type: 'single' }], { flags: Cond.AKEY_FETCH });
        return Buffer.from(value?.data ?? []);
      } catch (error) {
        if (isDaosError(error, 'NONEXIST')) throw new DfsError('ENODATA', 'getxattr', path, `no attribute "${name}"`);
        throw error;
      }
    });
  }

  /** ENODATA when the attribute is absent. */
  async remove(name: string): Promise<void> {
    const { folder, name: entry, path } = this.place;
    const akey = this.akey('removexattr', name);
    this.fs.requireWritable('removexattr', path);
    await dfsCall('removexattr', path, async () => {
      try {
        await folder.punchAkeys(undefined, entry, [akey], { flags: Cond.PUNCH });
      } catch (error) {
        if (isMissing(error)) throw new DfsError('ENODATA', 'removexattr', path, `no attribute "${name}"`);
        throw error;
      }
      await this.touch();
    });
  }

  async list(): Promise<string[]> {
    const names: string[] = [];
    await dfsCall('listxattr', this.place.path, async () => {
      for await (const akey of this.place.folder.akeys(this.place.name)) {
        const bytes = Buffer.from(akey);
        if (bytes.subarray(0, XATTR_PREFIX.length).equals(XATTR_PREFIX)) names.push(bytes.subarray(XATTR_PREFIX.length).toString());
      }
    });
    return names;
  }

  private akey(syscall: string, name: string): Buffer {
    const bytes = Buffer.from(name);
    if (bytes.length === 0 || bytes.length > XATTR_NAME_BYTES_MAX) {
      throw new DfsError('EINVAL', syscall, this.place.path, `an attribute name has 1 to ${XATTR_NAME_BYTES_MAX} bytes`);
    }
    return Buffer.concat([XATTR_PREFIX, bytes]);
  }
}

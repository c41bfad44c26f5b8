import { constants } from 'node:fs';
import { open, readFile, type FileHandle } from 'node:fs/promises';

import type { BlockIo, WriteRun } from './block_io.js';

/** Limit of buffers in one system call (IOV_MAX). */
const BUFFERS_PER_CALL_MAX = 1024;

/** Device access with nothing but Node: for platforms on which the addon is not built, and as a model in tests. */
export class NodeIo implements BlockIo {
  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
  ) {}

  /** Opens an existing file or device, or makes a new file (`create`: EEXIST when it is there). */
  static async open(path: string, options: { create: boolean }): Promise<NodeIo> {
    const flags = options.create ? constants.O_RDWR | constants.O_CREAT | constants.O_EXCL : constants.O_RDWR;
    return new NodeIo(path, await open(path, flags, 0o600));
  }

  async size(): Promise<number> {
    const stat = await this.file.stat();
    return stat.isBlockDevice() ? blockDeviceBytes(stat.rdev) : stat.size;
  }

  async resize(bytes: number): Promise<void> {
    const stat = await this.file.stat();
    if (stat.isFile()) await this.file.truncate(bytes);
  }

  async write(runs: readonly WriteRun[], sync: boolean): Promise<void> {
    for (const run of runs) await this.writeRun(run);
    if (sync) await this.file.datasync();
  }

  async read(offset: number, into: Uint8Array): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await this.file.read(into, done, into.length - done, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  readNow(): number {
    return -1;
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private async writeRun(run: WriteRun): Promise<void> {
    let { offset } = run;
    let rest = run.buffers.slice();
    while (rest.length > 0) {
      const { bytesWritten } = await this.file.writev(rest.slice(0, BUFFERS_PER_CALL_MAX), offset);
      offset += bytesWritten;
      rest = dropBytes(rest, bytesWritten);
    }
  }
}

/** Node cannot ask a device for its size; the kernel tells it in sectors of 512 bytes under the device's numbers. */
async function blockDeviceBytes(rdev: number): Promise<number> {
  const device = BigInt(rdev);
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return Number(await readFile(`/sys/dev/block/${major}:${minor}/size`, 'latin1')) * 512;
}

/** What remains of a list of buffers behind its first `bytes` bytes. */
function dropBytes(buffers: Uint8Array[], bytes: number): Uint8Array[] {
  let index = 0;
  let left = bytes;
  while (index < buffers.length && left >= (buffers[index] as Uint8Array).length) {
    left -= (buffers[index] as Uint8Array).length;
    index++;
  }
  const rest = buffers.slice(index);
  if (left > 0) rest[0] = (rest[0] as Uint8Array).subarray(left);
  return rest;
}

import { statSync } from 'node:fs';

import { DaosError } from '@daos/common';
import { getLogger } from '@daos/gurt';

import type { BlockIo } from './block_io.js';
import { DirectIo } from './direct_io.js';
import type { OpenOptions } from './fd_io.js';
import { NativeIo } from './native_io.js';
import { NodeIo } from './node_io.js';
import { UringIo } from './uring_io.js';

const log = getLogger('bio');

/** How bytes reach a device: io_uring, the addon's helper threads, or nothing but Node. */
export type Access = 'uring' | 'native' | 'node';
const ACCESSES: readonly Access[] = ['uring', 'native', 'node'];
/** Names an access for a whole process, such as `native` where a kernel's io_uring misbehaves. */
const ACCESS_VARIABLE = 'DAOS_BIO_ACCESS';

export interface OpenIoOptions {
  readonly create: boolean;
  /** Default: what `DAOS_BIO_ACCESS` says, else io_uring where the kernel has it, else the addon's threads. */
  readonly access?: Access | undefined;
  /** Past the page cache. Default: block devices only. */
  readonly direct?: boolean | undefined;
}

/** The access that the environment names; undefined when it names none. DER_INVAL for one that does not exist. */
export function accessFromEnv(env: NodeJS.ProcessEnv = process.env): Access | undefined {
  const name = env[ACCESS_VARIABLE];
  if (name === undefined || name === '') return undefined;
  const access = ACCESSES.find((known) => known === name);
  if (!access) throw new DaosError('INVAL', `${ACCESS_VARIABLE}=${name}: one of ${ACCESSES.join(', ')}`);
  return access;
}

/**
 * Opens a file or device; `create` makes a new file, and takes a block device as it is. Throws the system's error, or
 * DER_NOTSUPPORTED for an access that this system lacks.
 */
export async function openIo(path: string, options: OpenIoOptions): Promise<BlockIo> {
  const access = options.access ?? accessFromEnv() ?? (UringIo.available() ? 'uring' : 'native');
  const isDevice = isBlockDevice(path);
  const create = options.create && !isDevice;
  if (access === 'node') return NodeIo.open(path, { create });
  const open = (opened: OpenOptions): Promise<BlockIo> =>
    access === 'uring' ? UringIo.open(path, opened) : NativeIo.open(path, opened);
  if (options.direct ?? isDevice) {
    try {
      return new DirectIo(await open({ create, direct: true }));
    } catch (error) {
      // who asks for it gets it or an error; what is only our default gives way
      if (options.direct || (error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      log.info('a device is read and written through the page cache: it cannot do without', { path });
    }
  }
  return open({ create });
}

export function isBlockDevice(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isBlockDevice() ?? false;
}

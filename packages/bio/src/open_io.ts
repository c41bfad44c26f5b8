import type { BlockIo } from './block_io.js';
import { NativeIo } from './native_io.js';

/** Opens the device with the best access that this build has. */
export function openIo(path: string, options: { create: boolean }): Promise<BlockIo> {
  return NativeIo.open(path, options);
}

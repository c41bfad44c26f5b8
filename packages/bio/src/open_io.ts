import type { BlockIo } from './block_io.js';
import { NodeIo } from './node_io.js';

/** Opens the device with the best access that this build has. */
export function openIo(path: string, options: { create: boolean }): Promise<BlockIo> {
  return NodeIo.open(path, options);
}

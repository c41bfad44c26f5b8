export { BioFile } from './bio_file.js';
export type { BlockIo, WriteRun } from './block_io.js';
export { NativeIo } from './native_io.js';
export { NodeIo } from './node_io.js';
export { UringIo } from './uring_io.js';
export { BLOCK_BYTES as BIO_BLOCK_BYTES } from './superblock.js';
export { QUEUED_BYTES_MAX as BIO_QUEUED_BYTES_MAX } from './write_queue.js';

import { FILE_FETCH_REFERENCE, FILE_UPDATE_REFERENCE, measureFile } from './file_reference.js';
import { LMDB_FETCH_REFERENCE, LMDB_RELAXED_REFERENCE, LMDB_UPDATE_REFERENCE, measureLmdb } from './lmdb_reference.js';

/** What the store is measured beside, in the same run. */
export interface VosReference {
  readonly updateName: string;
  readonly updatesPerSecond: number;
  readonly fetchName: string;
  readonly fetchesPerSecond: number;
}

/** Values of at least this size go to the data file, when there is one. */
const FILE_BYTES_MIN = 4096;

export interface VosReferenceOptions {
  readonly size: number;
  readonly nvme: number;
  readonly inFlight: number;
  readonly durability: 'full' | 'none';
}

/** Plain LMDB for values of the index, a raw file for those of the data file. */
export async function measureVosReference(dir: string, keys: number, options: VosReferenceOptions): Promise<VosReference> {
  const { size, nvme, inFlight, durability } = options;
  if (nvme > 0 && size >= FILE_BYTES_MIN) {
    const figures = await measureFile(dir, size, inFlight);
    return { updateName: `${FILE_UPDATE_REFERENCE} of ${inFlight}`, fetchName: FILE_FETCH_REFERENCE, ...figures };
  }
  const figures = await measureLmdb(dir, keys, size, inFlight, durability);
  const updateName = durability === 'full' ? LMDB_UPDATE_REFERENCE : LMDB_RELAXED_REFERENCE;
  return { updateName: `${updateName} of ${inFlight}`, fetchName: LMDB_FETCH_REFERENCE, ...figures };
}

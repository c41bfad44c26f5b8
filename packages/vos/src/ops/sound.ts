import { DaosError } from '@daos/common';

import type { Head } from '../layout/head.js';

/** DER_DATA_LOSS when what the head stands for was marked corrupt. */
export function checkSound(head: Head): void {
  if (head.log.isCorrupted) throw new DaosError('DATA_LOSS', 'it was marked as corrupt: delete it, or discard it and write it again');
}

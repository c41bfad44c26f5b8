import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

import { DaosError, isUuid, uuidGenerate, type Uuid } from '@daos/common';

import { ioError } from '../io_error.js';

/** The file that makes a folder a device. */
const FILE = 'device';
const MAGIC = 'daos-device';
const VERSION = 1;
/** Longest label that can be ours. */
const LABEL_BYTES_MAX = 128;

/**
 * Makes the folder a device: it gets an id of its own, durable when the promise resolves. A folder that is one keeps
 * its id. The result is the id.
 */
export async function deviceFolderFormat(dir: string, uuid: Uuid = uuidGenerate()): Promise<Uuid> {
  await mkdir(dir, { recursive: true });
  try {
    return await deviceFolderRead(dir);
  } catch (error) {
    if (!(error instanceof DaosError && error.der === 'NONEXIST')) throw error;
  }
  if (!isUuid(uuid)) throw new DaosError('INVAL', `"${uuid}" is not a UUID`);
  const path = join(dir, FILE);
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(`${MAGIC} ${VERSION} ${uuid.toLowerCase()}\n`);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  await syncFolder(dir);
  return uuid.toLowerCase();
}

/** Id of the device in a folder. DER_NONEXIST when there is none, DER_DF_INCOMPT (version), DER_DF_INVAL (damaged). */
export async function deviceFolderRead(dir: string): Promise<Uuid> {
  const path = join(dir, FILE);
  const label = await readFile(path).catch((error: unknown) => {
    throw ioError(error, `device ${dir}`);
  });
  const [magic, version, uuid = '', ...rest] = label.subarray(0, LABEL_BYTES_MAX).toString('latin1').trimEnd().split(' ');
  if (magic !== MAGIC) throw new DaosError('DF_INVAL', `${path} is no label of a device`);
  if (version !== String(VERSION)) {
    throw new DaosError('DF_INCOMPT', `${path} has version ${version}, this program knows version ${VERSION}`);
  }
  if (!isUuid(uuid) || rest.length > 0) throw new DaosError('DF_INVAL', `${path} is damaged`);
  return uuid;
}

async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

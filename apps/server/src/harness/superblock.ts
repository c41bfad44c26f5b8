import { existsSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { DaosError, isUuid } from '@daos/common';
import { parse, stringify } from 'yaml';
import { z } from 'zod';

import { writeFileAtomic } from './atomic_file.js';

const VERSION = 1;
const FILE_NAME = 'superblock';

const superblockSchema = z.object({
  version: z.literal(VERSION),
  uuid: z.string().refine(isUuid, 'not a UUID'),
  system: z.string(),
  /** Meaningful when `validrank`. */
  rank: z.int().nonnegative(),
  uri: z.string(),
  validrank: z.boolean(),
  hostfaultdomain: z.string(),
  /** HLC of the engine's last start, decimal. */
  incarnation: z.string(),
});

/** Identity of an engine's storage: which engine of which system it is. One YAML file in the engine's SCM folder. */
export type Superblock = z.infer<typeof superblockSchema>;

export function superblockPath(mount: string): string {
  return join(mount, FILE_NAME);
}

export function hasSuperblock(mount: string): boolean {
  return existsSync(superblockPath(mount));
}

/** Throws DER_DF_INCOMPT for a newer version and DER_DF_INVAL for a file that is no superblock. */
export function readSuperblock(mount: string): Superblock {
  const path = superblockPath(mount);
  const value: unknown = parse(readFileSync(path, 'utf8'));
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version > VERSION) {
    throw new DaosError(
      'DF_INCOMPT',
      `superblock ${path} has version ${version}, this server knows up to ${VERSION}`,
    );
  }
  const result = superblockSchema.safeParse(value);
  if (!result.success) {
    throw new DaosError(
      'DF_INVAL',
      `superblock ${path} is damaged: ${result.error.issues[0]?.message ?? 'unreadable'}`,
    );
  }
  return result.data;
}

export async function writeSuperblock(mount: string, superblock: Superblock): Promise<void> {
  await writeFileAtomic(superblockPath(mount), stringify(superblock));
}

/**
 * Puts the superblock aside: the storage needs a format, but is still known to be ours, so that the format may delete
 * what is in it.
 */
export async function setSuperblockAside(mount: string): Promise<void> {
  if (hasSuperblock(mount)) await rename(superblockPath(mount), formerPath(mount));
}

export function hasFormerSuperblock(mount: string): boolean {
  return existsSync(formerPath(mount));
}

export async function removeFormerSuperblock(mount: string): Promise<void> {
  await rm(formerPath(mount), { force: true });
}

export const FORMER_NAME = 'superblock.old';

function formerPath(mount: string): string {
  return join(mount, FORMER_NAME);
}

export function newSuperblock(uuid: string, system: string, faultDomain: string): Superblock {
  return {
    version: VERSION,
    uuid,
    system,
    rank: 0,
    uri: '',
    validrank: false,
    hostfaultdomain: faultDomain,
    incarnation: '0',
  };
}

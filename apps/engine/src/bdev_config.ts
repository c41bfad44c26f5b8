import { readFileSync } from 'node:fs';

import { DaosError } from '@daos/common';
import type { AutoFaulty, EngineOptions } from '@daos/engine';

interface Call {
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

interface Section {
  readonly config?: readonly Call[];
}

interface BdevFile {
  readonly daos_data?: Section;
  readonly subsystems?: readonly Section[];
}

const CHECKSUM_ERRORS_MAX = 2 ** 32 - 1;
const IO_ERRORS_MAX_DEFAULT = 10;

/** What the block-device configuration says: the folder of the data tier, and when its device is faulty. DER_INVAL. */
export function bdevConfig(path: string): Pick<EngineOptions, 'dataDir' | 'autoFaulty'> {
  const file = read(path);
  const autoFaulty = autoFaultyOf(file, path);
  return { dataDir: dataFolder(file, path), ...(autoFaulty && { autoFaulty }) };
}

function read(path: string): BdevFile | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as BdevFile | null;
  } catch (error) {
    throw new DaosError('INVAL', `block-device configuration ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** The first file or folder that is named. */
function dataFolder(file: BdevFile | null, path: string): string {
  const sections = Array.isArray(file?.subsystems) ? file.subsystems : [];
  const device = sections.flatMap(callsOf).find(({ method }) => method === 'bdev_aio_create');
  const folder = device?.params?.['filename'];
  if (typeof folder !== 'string') {
    throw new DaosError('INVAL', `block-device configuration ${path} names no file or folder (bdev_aio_create)`);
  }
  return folder;
}

function autoFaultyOf(file: BdevFile | null, path: string): AutoFaulty | undefined {
  const params = callsOf(file?.daos_data).find(({ method }) => method === 'auto_faulty')?.params;
  if (!params) return undefined;
  const count = (name: string, fallback: number): number => {
    const value = params[name] ?? fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
    throw new DaosError('INVAL', `block-device configuration ${path}: ${name} of auto_faulty is ${String(value)}, not a number of errors`);
  };
  return {
    enable: params['enable'] !== false,
    ioErrorsMax: count('max_io_errs', IO_ERRORS_MAX_DEFAULT),
    checksumErrorsMax: count('max_csum_errs', CHECKSUM_ERRORS_MAX),
  };
}

function callsOf(section: Section | undefined): readonly Call[] {
  return Array.isArray(section?.config) ? section.config : [];
}

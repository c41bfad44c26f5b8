import { open, readFile, stat } from 'node:fs/promises';

import { DaosError, EPOCH_MAX, checksumAlgorithm, type Epoch } from '@daos/common';

import type { DdbCommand } from '../command.js';
import { hasAkey, hasExtent, incomplete, placeFormat, placeOf, required, valuePlace } from '../place.js';
import type { DdbChecksums } from '../pool/ddb_pool.js';
import type { Session } from '../session.js';
import { valueText } from './tree.js';

/** Bytes of a value that the screen gets; a file gets all. */
const SCREEN_BYTES_MAX = 64 * 1024;
const LOAD_BYTES_MAX = 1024 * 1024 * 1024;
const HEX_LINE_BYTES = 32;

const valueDump: DdbCommand = {
  name: 'value_dump',
  description: 'show a value, or write it to a file',
  args: ['[path]', '[dst]'],
  async run(session, { args: [path, dst] }) {
    const place = valuePlace(session.pool, path);
    const pieces = session.pool.read(place);
    const bytes = dst === undefined ? await toScreen(session, pieces) : await toFile(dst, pieces);
    session.print(`${placeFormat(place)}: ${bytes} bytes${dst === undefined ? '' : ` written to ${dst}`}`);
  },
};

const valueLoad: DdbCommand = {
  name: 'value_load',
  description: 'write the content of a file as a value',
  args: ['[src]', '[dst]'],
  modifies: true,
  async run(session, { args: [src, dst] }) {
    const { pool } = session;
    const data = await loadFile(src);
    const place = placeOf(pool, required(dst, 'the value to write'), 'INVAL');
    if (!hasAkey(place)) throw incomplete(place, 'akey');
    const kind = pool.valueKind(place);
    if (kind === 'array' && !hasExtent(place)) throw incomplete(place, 'extent');
    if (kind === 'single' && hasExtent(place)) {
      throw new DaosError('INVAL', `${placeFormat(place)}: this akey has a single value and no extents`);
    }
    await pool.write(place, data);
    session.print(`${placeFormat(place)}: ${data.length} bytes read from ${src}`);
  },
};

const csumDump: DdbCommand = {
  name: 'csum_dump',
  description: 'show the checksums of a value, or write them to a file',
  args: ['[path]', '[dst]'],
  options: [{ flags: '-e, --epoch <epoch>', description: 'of what was visible at this epoch' }],
  async run(session, { args: [path, dst], options }) {
    const place = valuePlace(session.pool, path);
    const found = await session.pool.checksums(place, epochOption(options['epoch']));
    if (dst === undefined) {
      if (found.length === 0) session.print('no checksums');
      for (const each of found) printChecksums(session, each);
      return;
    }
    const bytes = await toFile(dst, found.map(({ checksums }) => checksums.bytes));
    session.print(`${placeFormat(place)}: ${bytes} bytes of checksums written to ${dst}`);
  },
};

export const VALUE_COMMANDS: readonly DdbCommand[] = [valueDump, valueLoad, csumDump];

async function toScreen(session: Session, pieces: AsyncIterable<Uint8Array>): Promise<number> {
  const shown: Uint8Array[] = [];
  let room = SCREEN_BYTES_MAX;
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    shown.push(piece.subarray(0, room));
    room -= Math.min(room, piece.length);
  }
  for (const line of screenLines(Buffer.concat(shown))) session.print(line);
  if (bytes > SCREEN_BYTES_MAX) session.print(`... ${bytes - SCREEN_BYTES_MAX} bytes more: give a file to write to`);
  return bytes;
}

/** Text as it is, anything else in hexadecimal. */
function screenLines(data: Buffer): string[] {
  const isText = data.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x09);
  if (isText) return data.toString('latin1').split('\n');
  const lines: string[] = [];
  for (let at = 0; at < data.length; at += HEX_LINE_BYTES) {
    lines.push(`${at.toString(16).padStart(8, '0')}  ${data.subarray(at, at + HEX_LINE_BYTES).toString('hex')}`);
  }
  return lines;
}

async function toFile(path: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number> {
  const file = await open(path, 'w').catch((error: Error) => {
    throw new DaosError('INVAL', `cannot write ${path}: ${error.message}`, { cause: error });
  });
  try {
    let bytes = 0;
    for await (const piece of pieces) {
      await file.writeFile(piece);
      bytes += piece.length;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

async function loadFile(path: string | undefined): Promise<Buffer> {
  if (path === undefined || path === '') throw new DaosError('INVAL', 'give the file to load');
  const found = await stat(path).catch((error: Error) => {
    throw new DaosError('INVAL', `cannot read ${path}: ${error.message}`, { cause: error });
  });
  if (!found.isFile() || found.size === 0 || found.size > LOAD_BYTES_MAX) {
    throw new DaosError('INVAL', `${path} has ${found.size} bytes: a file of 1 to ${LOAD_BYTES_MAX} bytes can be loaded`);
  }
  return readFile(path);
}

function epochOption(text: string | boolean | undefined): Epoch {
  if (typeof text !== 'string') return EPOCH_MAX;
  if (!/^\d{1,20}$/.test(text) || BigInt(text) > EPOCH_MAX) throw new DaosError('INVAL', `"${text}" is no epoch`);
  return BigInt(text);
}

function printChecksums(session: Session, { value, checksums }: DdbChecksums): void {
  const { type, length, chunkBytes, bytes } = checksums;
  const name = checksumAlgorithm(type)?.name ?? `type ${type}`;
  session.print(`${valueText(value)}: ${name}, ${length} bytes per chunk of ${chunkBytes}`);
  for (let at = 0; at < bytes.length; at += length) {
    session.print(`  [${at / length}] 0x${Buffer.from(bytes.subarray(at, at + length)).toString('hex')}`);
  }
}

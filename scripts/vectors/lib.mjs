// What the checks of recorded data share.
import { DaosError } from '../../packages/common/dist/src/index.js';

/** A row of a file without kinds of its own. */
export const ANY = Symbol('any');

/**
 * Checks of a file's cases by their kind: `checks[case.fn]` (or `checks[ANY]`) turns a case into
 * `{ want, got }`. A kind that is not known fails: it would otherwise pass unseen.
 */
export function byKind(checks, kindOf = (row) => row.fn ?? ANY) {
  return ({ cases }) =>
    cases.map((row, index) => ({
      what: `case ${index} (${JSON.stringify(row).slice(0, 200)})`,
      check: () => {
        const check = checks[kindOf(row)];
        if (!check) throw new Error(`unknown kind ${String(kindOf(row))}`);
        return check(row);
      },
    }));
}

/** Runs an action; the status is 0 or the negative number of the `DaosError` that it threw. */
export function attempt(action) {
  try {
    return { status: 0, value: action() };
  } catch (error) {
    if (error instanceof DaosError) return { status: error.status, value: undefined };
    throw error;
  }
}

export function hex(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** Input of a row: the bytes given, or the byte pattern of a length. */
export function input(row) {
  return row.bytesHex === undefined ? pattern(row.len) : Buffer.from(row.bytesHex, 'hex');
}

/** Byte pattern that files compute over. */
export function pattern(length) {
  if (!Number.isInteger(length)) throw new Error('the case has neither len nor bytesHex');
  return Uint8Array.from({ length }, (_, j) => (11 * j + 7 * Math.floor(j / 256) + 5) & 0xff);
}

/** The fields of an object that are named. */
export function pick(row, names) {
  return Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
}

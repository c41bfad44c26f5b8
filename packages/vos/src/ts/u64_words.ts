const view = new DataView(new ArrayBuffer(8));

/** Upper and lower 32 bits of a value that counts as unsigned 64 bits. No bigint is made. */
export function upperWord(value: bigint): number {
  view.setBigUint64(0, value);
  return view.getUint32(0);
}

export function lowerWord(value: bigint): number {
  view.setBigUint64(0, value);
  return view.getUint32(4);
}

/** Order of two values in words: negative, zero or positive as the first is smaller, equal or larger. */
export function compareWords(aHi: number, aLo: number, bHi: number, bLo: number): number {
  return aHi === bHi ? aLo - bLo : aHi - bHi;
}

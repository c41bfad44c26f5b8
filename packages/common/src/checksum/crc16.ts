/**
 * CRC-16/T10-DIF (polynomial 0x8BB7, not reflected, start 0, not inverted), eight bytes at a time ("slicing-by-8",
 * Kounavis and Berry, 2005).
 */
const POLYNOMIAL = 0x8bb7;
const SLICES = 8;
/** Eight tables of 256 entries: the effect of a byte followed by 0..7 zero bytes. */
const TABLE = new Uint16Array(SLICES * 256);

for (let byte = 0; byte < 256; byte++) {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
  TABLE[byte] = crc;
}
for (let i = 256; i < TABLE.length; i++) {
  const crc = TABLE[i - 256] as number;
  TABLE[i] = (crc << 8) ^ (TABLE[crc >>> 8] as number);
}

/** Goes on from the register `crc` (0 at the start) over `data[from, to)`; returns the register. */
export function crc16Update(crc: number, data: Uint8Array, from: number, to: number): number {
  let register = crc;
  let i = from;
  for (const end = to - (SLICES - 1); i < end; i += SLICES) {
    register =
      at(1792 + ((register >>> 8) ^ (data[i] as number)))
      ^ at(1536 + ((register & 0xff) ^ (data[i + 1] as number)))
      ^ at(1280 + (data[i + 2] as number))
      ^ at(1024 + (data[i + 3] as number))
      ^ at(768 + (data[i + 4] as number))
      ^ at(512 + (data[i + 5] as number))
      ^ at(256 + (data[i + 6] as number))
      ^ at(data[i + 7] as number);
  }
  for (; i < to; i++) register = ((register << 8) & 0xffff) ^ at((register >>> 8) ^ (data[i] as number));
  return register;
}

function at(index: number): number {
  return TABLE[index] as number;
}

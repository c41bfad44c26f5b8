/** Decimal and binary units in rising order; index = power of 1000 or 1024. */
const DECIMAL_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
const UNIT_LETTERS = 'kmgtpe';
/** Sizes are unsigned 64-bit numbers on the wire. */
const SIZE_MAX = (1n << 64n) - 1n;

/**
 * Parses a size as users type it: `512M`, `1.5 TiB`, `100 gb`, `4096`. Letters alone (`M`) and `MB` are powers of
 * 1000, `Mi` and `MiB` powers of 1024; a fraction and thousands commas are allowed, a sign is not. Returns undefined
 * when the text is no size or exceeds 64 bits.
 */
export function parseSize(text: string): bigint | undefined {
  const match = /^\s*(\d[\d,]*)(?:\.(\d+))?\s*([a-zA-Z]*)\s*$/.exec(text);
  if (!match) return undefined;
  const [, whole = '', fraction = '', unit = ''] = match;
  const scale = unitScale(unit.toLowerCase());
  if (scale === undefined) return undefined;
  const integer = BigInt(whole.replaceAll(',', '')) * scale;
  const part = fraction === '' ? 0n : (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
  const size = integer + part;
  return size > SIZE_MAX ? undefined : size;
}

function unitScale(unit: string): bigint | undefined {
  if (unit === '' || unit === 'b') return 1n;
  const power = UNIT_LETTERS.indexOf(unit.charAt(0)) + 1;
  if (power === 0) return undefined;
  const rest = unit.slice(1);
  if (rest === '' || rest === 'b') return 1000n ** BigInt(power);
  if (rest === 'i' || rest === 'ib') return 1024n ** BigInt(power);
  return undefined;
}

/** `1.1 MB`: powers of 1000, one decimal below 10, as the tools print capacities. */
export function formatBytes(bytes: bigint | number): string {
  return formatScaled(Number(bytes), 1000, DECIMAL_UNITS);
}

/** `1.0 MiB`: powers of 1024, for chunk and cell sizes. */
export function formatBinaryBytes(bytes: bigint | number): string {
  return formatScaled(Number(bytes), 1024, BINARY_UNITS);
}

function formatScaled(value: number, base: number, units: readonly string[]): string {
  if (value < 10) return `${Math.trunc(value)} B`;
  let power = 0;
  let divisor = 1;
  while (power < units.length - 1 && value / divisor >= base) {
    divisor *= base;
    power++;
  }
  const scaled = Math.floor((value / divisor) * 10 + 0.5) / 10;
  return `${scaled < 10 ? scaled.toFixed(1) : scaled.toFixed(0)} ${units[power] ?? ''}`;
}

import { InvalidArgumentError } from 'commander';

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Parses a size on the command line: a whole number of bytes, with K, M, G or T. */
export function byteCount(text: string): number {
  const match = /^(\d+)([kmgt]?)(?:i?b)?$/i.exec(text);
  if (!match?.[1]) throw new InvalidArgumentError('expected bytes, with K, M, G or T if you like');
  return Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] as number);
}

/** Parses a count of at least 1. */
export function wholeNumber(text: string): number {
  const match = /^(\d+)([kmg]?)$/i.exec(text);
  const count = match?.[1] ? Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] as number) : 0;
  if (count < 1) throw new InvalidArgumentError('expected a whole number from 1 on');
  return count;
}

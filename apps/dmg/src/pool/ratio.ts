/** Shares may miss 100 by this much, for those who round. */
const SUM_TOLERANCE = 1;

/**
 * Parses the shares of storage tiers, in percent: `6,94` or `6%,94%`; a single share is completed to two. Returns
 * fractions that add up to 1.
 */
export function parseTierRatio(text: string): readonly number[] {
  const shares = parsePercentages(text);
  if (shares.length === 1 && shares[0] !== undefined && shares[0] < 100) shares.push(100 - shares[0]);
  const sum = shares.reduce((total, share) => total + share, 0);
  if (Math.abs(sum - 100) > SUM_TOLERANCE) throw new Error(`Storage tier ratios must add up to 100 (got ${sum.toFixed(6)})`);
  return shares.map((share) => share / sum);
}

/** Parses one share in percent to a fraction. */
export function parseMemRatio(text: string): number {
  const shares = parsePercentages(text);
  if (shares.length !== 1 || shares[0] === undefined) throw new Error(`expected one ratio, got ${shares.length}`);
  return shares[0] / 100;
}

function parsePercentages(text: string): number[] {
  if (text.trim() === '') throw new Error('no tier ratio specified');
  return text.split(',').map((part) => {
    const match = /^(\d+(?:\.\d+)?)%?$/.exec(part.trim());
    if (!match) throw new Error(`invalid ratio ${JSON.stringify(part.trim())}`);
    const share = Number(Number(match[1]).toFixed(2));
    if (share < 0 || share > 100) throw new Error(`Storage tier ratio must be a value between 0-100 (got ${part.trim()})`);
    return share;
  });
}

/** `6.00%`. */
export function percentText(fraction: number): string {
  return `${(fraction * 100).toFixed(2)}%`;
}

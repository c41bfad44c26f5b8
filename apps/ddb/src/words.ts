import { DaosError } from '@daos/common';

/**
 * Splits a line into words at spaces. Single or double quotes keep spaces together and disappear; backslashes stay,
 * since paths use them. DER_INVAL for a quote that does not end.
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (quote !== '') {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '\\' && at + 1 < line.length) {
      word = (word ?? '') + char + line.charAt(++at);
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote !== '') throw new DaosError('INVAL', `a ${quote} has no end: ${line}`);
  if (word !== undefined) words.push(word);
  return words;
}

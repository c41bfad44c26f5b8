const KEY_LENGTH_MAX = 511;

/** A property or attribute list that cannot be understood. */
export class KeyValueError extends Error {
  override readonly name = 'KeyValueError';
}

/**
 * Parses `key:val[,key:val...]`. A separator inside quotes or after a backslash does not split; quotes and
 * backslashes stay part of the value. Throws `KeyValueError` for an empty list, key or value, a key that is too long
 * or given twice.
 */
export function parseKeyValues(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of splitUnquoted(text, ',')) {
    if (part.trim() === '') throw new KeyValueError('invalid property "" (must be key:val)');
    const pieces = splitUnquoted(part, ':');
    const key = (pieces[0] ?? '').trim();
    const value = pieces.slice(1).join(':').trim();
    if (pieces.length < 2) throw new KeyValueError(`invalid property "${part}" (must be key:val)`);
    if (key === '') throw new KeyValueError(`invalid property "${part}": key must not be empty`);
    if (value === '') throw new KeyValueError(`invalid property "${part}": value must not be empty`);
    addKey(found, key, value);
  }
  return found;
}

/** Parses `key[,key...]`. Throws `KeyValueError` for an empty, too long or repeated key. */
export function parseKeys(text: string): string[] {
  const found = new Map<string, string>();
  for (const part of splitUnquoted(text, ',')) {
    const key = part.trim();
    if (key === '') throw new KeyValueError('key must not be empty');
    addKey(found, key, '');
  }
  return [...found.keys()];
}

function addKey(found: Map<string, string>, key: string, value: string): void {
  if (key.length > KEY_LENGTH_MAX) throw new KeyValueError(`key too long (${key.length} > ${KEY_LENGTH_MAX})`);
  if (found.has(key)) throw new KeyValueError(`key "${key}" given more than once`);
  found.set(key, value);
}

function splitUnquoted(text: string, separator: string): string[] {
  const parts: string[] = [];
  let current = '';
  let openQuote = '';
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (character === '\\' && i + 1 < text.length) {
      current += character + text.charAt(++i);
      continue;
    }
    if (openQuote !== '') {
      if (character === openQuote) openQuote = '';
    } else if (character === '"' || character === "'") {
      openQuote = character;
    } else if (character === separator) {
      parts.push(current);
      current = '';
      continue;
    }
    current += character;
  }
  parts.push(current);
  return parts;
}

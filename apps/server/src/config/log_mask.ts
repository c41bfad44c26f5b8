const LEVELS = [
  'DEBUG',
  'DBUG',
  'INFO',
  'NOTE',
  'WARN',
  'ERROR',
  'ERR',
  'CRIT',
  'ALRT',
  'FATAL',
  'EMRG',
  'EMIT',
];
const MASK_LENGTH_MAX = 1023;

/**
 * Checks an engine log mask: optional base level first, then `subsystem=level` items. Throws what `bad` makes of the
 * complaint.
 */
export function checkLogMask(mask: string, bad: (text: string) => Error): void {
  if (mask === '') return;
  if (mask.length > MASK_LENGTH_MAX) {
    throw bad(`log_mask exceeds maximum length (${mask.length}>${MASK_LENGTH_MAX})`);
  }
  if (!/^[A-Za-z,=_]*$/.test(mask)) throw bad('log_mask contains illegal characters');
  for (const [index, item] of mask.split(',').entries()) {
    const [name, level, ...more] = item.split('=');
    if (more.length > 0) throw bad(`log_mask item "${item}" has more than one "="`);
    if (level === undefined && index > 0) throw bad('the base level of log_mask comes first and once');
    if (level !== undefined && name?.toLowerCase() === 'all') {
      throw bad('log_mask may not name the subsystem "all"');
    }
    checkLevel(level ?? item, bad);
  }
}

function checkLevel(level: string, bad: (text: string) => Error): void {
  if (!LEVELS.includes(level.toUpperCase())) {
    throw bad(`unknown log level "${level}" want one of [${LEVELS.join(' ')}]`);
  }
}

const MISSING_CELL = 'None';
const INDENT_DEFAULT = 2;

/**
 * A table as the tools print it: titles, a line of dashes as long as each title, rows. Every cell is padded to its
 * column's width and followed by one blank, the last one too. A missing cell reads `None`. Ends with a newline;
 * without titles the text is empty.
 */
export function formatTable(titles: readonly string[], rows: readonly Readonly<Record<string, string>>[]): string {
  if (titles.length === 0) return '';
  const cells = rows.map((row) => titles.map((title) => row[title] ?? MISSING_CELL));
  const widths = titles.map((title, column) =>
    cells.reduce((width, row) => Math.max(width, displayWidth(row[column] ?? '')), displayWidth(title)),
  );
  const line = (values: readonly string[]): string =>
    `${values.map((value, column) => padEnd(value, widths[column] ?? 0)).join(' ')} \n`;
  return line(titles) + line(titles.map((title) => '-'.repeat(displayWidth(title)))) + cells.map(line).join('');
}

/** A name and its value; several with one name are printed one below the other. */
export type EntityAttribute = readonly [name: string, value: string];

/**
 * An entity: a title with dashes below it (both left out when the title is empty), then one indented line per
 * attribute, names padded to the longest, or to `nameWidthMin` when that is more.
 */
export function formatEntity(title: string, attributes: readonly EntityAttribute[], nameWidthMin = 0): string {
  const width = attributes.reduce((most, [name]) => Math.max(most, displayWidth(name)), nameWidthMin);
  const lines = attributes.map(([name, value]) => `  ${padEnd(name, width)}: ${value}\n`);
  const head = title === '' ? '' : `${title}\n${'-'.repeat(displayWidth(title))}\n`;
  return head + lines.join('');
}

/** Every line that is not empty moved right by `blanks`. */
export function indentText(text: string, blanks = INDENT_DEFAULT): string {
  const margin = ' '.repeat(blanks);
  return text.replaceAll(/^(?=.)/gm, margin);
}

/** A heading between two lines of dashes, as host sets are introduced. */
export function formatBanner(text: string): string {
  const dashes = '-'.repeat(displayWidth(text));
  return `${dashes}\n${text}\n${dashes}\n`;
}

function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

function displayWidth(text: string): number {
  return [...text].length;
}

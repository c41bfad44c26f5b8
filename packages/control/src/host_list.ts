/** A range in the input may not stand for more hosts than this. */
const RANGE_HOSTS_MAX = 16384;
const HOSTS_MAX = 1 << 20;

/** Input that is not a host list. */
export class HostListError extends Error {
  override readonly name = 'HostListError';
}

/** Consecutive members of one range: numbers `low..high` printed with at least `width` digits. */
interface NumberRange {
  low: number;
  high: number;
  width: number;
}

/** Hosts with one prefix and suffix: `node[1-3,7].lan:10001`. `ranges` is absent for a name without a number. */
interface HostGroup {
  readonly prefix: string;
  readonly suffix: string;
  ranges: NumberRange[] | undefined;
}

/**
 * An ordered list of host names (with or without ports), written in ranges: `node[1-3,7],other5:10001`. Only the last
 * number of a name is ranged; zero padding is significant.
 */
export class HostList {
  private groups: HostGroup[];

  private constructor(groups: HostGroup[]) {
    this.groups = groups;
  }

  /** Parses elements separated by commas, blanks or tabs. Adjacent like elements merge. Throws `HostListError`. */
  static parse(text: string): HostList {
    const list = new HostList([]);
    for (const element of splitElements(text)) list.append(parseElement(element));
    return list;
  }

  /** The list of these names, in their order. */
  static of(names: Iterable<string>): HostList {
    return HostList.parse([...names].join(','));
  }

  get count(): number {
    return this.groups.reduce((sum, group) => sum + groupCount(group), 0);
  }

  get isEmpty(): boolean {
    return this.groups.length === 0;
  }

  /** Adds the elements of another list text at the end. Throws `HostListError`. */
  push(text: string): void {
    for (const element of splitElements(text)) this.append(parseElement(element));
  }

  /** Every name spelled out, in order. */
  names(): string[] {
    const names: string[] = [];
    for (const group of this.groups) {
      if (!group.ranges) names.push(group.prefix + group.suffix);
      for (const range of group.ranges ?? []) {
        for (let n = range.low; n <= range.high; n++) names.push(group.prefix + pad(n, range.width) + group.suffix);
      }
    }
    return names;
  }

  has(name: string): boolean {
    return this.names().includes(name);
  }

  /** The same hosts sorted by prefix, suffix and number, each once. */
  uniq(): HostList {
    const sorted = this.groups.map((group) => ({ ...group, ranges: group.ranges?.map((range) => ({ ...range })) }));
    sorted.sort((a, b) => compareText(a.prefix, b.prefix) || compareText(a.suffix, b.suffix));
    const merged: HostGroup[] = [];
    for (const group of sorted) {
      const last = merged.at(-1);
      if (!last || last.prefix !== group.prefix || last.suffix !== group.suffix || !last.ranges !== !group.ranges) {
        merged.push(group);
      } else if (last.ranges && group.ranges) last.ranges.push(...group.ranges);
    }
    for (const group of merged) {
      if (group.ranges) group.ranges = uniqRanges(group.ranges);
    }
    return new HostList(merged);
  }

  /** Names that are in both lists, each once. */
  intersect(other: HostList): HostList {
    const theirs = new Set(other.names());
    return HostList.of(this.names().filter((name) => theirs.has(name))).uniq();
  }

  /** This list without the names of the other, each once. */
  without(other: HostList): HostList {
    const theirs = new Set(other.names());
    return HostList.of(this.names().filter((name) => !theirs.has(name))).uniq();
  }

  toString(): string {
    return this.groups.map(groupText).join(',');
  }

  private append(group: HostGroup): void {
    const last = this.groups.at(-1);
    if (last?.ranges && group.ranges && last.prefix === group.prefix && last.suffix === group.suffix) {
      for (const range of group.ranges) appendRange(last.ranges, range);
    } else this.groups.push(group);
    if (this.count > HOSTS_MAX) throw new HostListError(`more than ${HOSTS_MAX} hosts`);
  }
}

function splitElements(text: string): string[] {
  const elements: string[] = [];
  let current = '';
  let depth = 0;
  for (const character of text) {
    if (character === '[') depth++;
    if (character === ']') depth--;
    if (depth < 0) throw new HostListError(`invalid range: unmatched "]" in "${text}"`);
    if (depth === 0 && /[,\s]/.test(character)) {
      if (current !== '') elements.push(current);
      current = '';
    } else current += character;
  }
  if (depth !== 0) throw new HostListError(`invalid range: unclosed "[" in "${text}"`);
  if (current !== '') elements.push(current);
  return elements;
}

function parseElement(element: string): HostGroup {
  const bracketed = /^([^[\]]*)\[([^[\]]*)\]([^[\]]*)$/.exec(element);
  if (bracketed) {
    const [, prefix = '', body = '', suffix = ''] = bracketed;
    checkName(prefix, suffix, element);
    return { prefix, suffix, ranges: parseRanges(body) };
  }
  if (/[[\]]/.test(element)) throw new HostListError(`invalid hostname "${element}"`);
  const { host, port } = splitPort(element);
  // The last run of digits that still has a letter before it; a version-4 address has its last part ranged.
  const numbered = /^(.*?\D)(\d+)(\D*)$/.exec(host);
  if (!numbered) {
    if (/^\d*$/.test(host)) throw new HostListError(`invalid hostname "${element}"`);
    return { prefix: host, suffix: port, ranges: undefined };
  }
  const [, prefix = '', digits = '', rest = ''] = numbered;
  checkName(prefix, rest + port, element);
  const value = Number(digits);
  if (!Number.isSafeInteger(value)) return { prefix: host, suffix: port, ranges: undefined };
  return { prefix, suffix: rest + port, ranges: [{ low: value, high: value, width: digits.length }] };
}

function splitPort(element: string): { host: string; port: string } {
  const colon = element.indexOf(':');
  return colon < 0 ? { host: element, port: '' } : { host: element.slice(0, colon), port: element.slice(colon) };
}

function checkName(prefix: string, suffix: string, element: string): void {
  const port = /:(.*)$/.exec(suffix)?.[1];
  const badPort = port !== undefined && !/^\d+$/.test(port);
  if (prefix === '' || badPort || !/^[\w.:-]*$/.test(prefix + suffix)) {
    throw new HostListError(`invalid hostname "${element}"`);
  }
}

function parseRanges(body: string): NumberRange[] {
  const ranges: NumberRange[] = [];
  for (const part of body.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (!match) throw new HostListError(`invalid range "[${body}]"`);
    const [, first = '', second] = match;
    const low = Number(first);
    const high = second === undefined ? low : Number(second);
    if (low > high) throw new HostListError(`invalid range "[${body}]": ${low} > ${high}`);
    if (high - low >= RANGE_HOSTS_MAX) throw new HostListError(`invalid range "[${body}]": more than ${RANGE_HOSTS_MAX} hosts`);
    appendRange(ranges, { low, high, width: first.length });
  }
  return ranges;
}

/** Extends the last range when the new one goes on where it ends and both would print alike. */
function appendRange(ranges: NumberRange[], range: NumberRange): void {
  const last = ranges.at(-1);
  if (last && last.high + 1 === range.low && widthsAgree(last, range)) last.high = range.high;
  else ranges.push({ ...range });
}

/** Whether `next` printed with the width of `before` keeps its digits. */
function widthsAgree(before: NumberRange, next: NumberRange): boolean {
  return pad(next.low, before.width) === pad(next.low, next.width) && pad(next.high, before.width) === pad(next.high, next.width);
}

function uniqRanges(ranges: NumberRange[]): NumberRange[] {
  const sorted = [...ranges].sort((a, b) => (isPadded(a) === isPadded(b) ? a.low - b.low : Number(isPadded(a)) - Number(isPadded(b))));
  const merged: NumberRange[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last && range.low <= last.high + 1 && widthsAgree(last, range)) last.high = Math.max(last.high, range.high);
    else merged.push({ ...range });
  }
  return merged;
}

function isPadded(range: NumberRange): boolean {
  return String(range.low).length < range.width;
}

function groupCount(group: HostGroup): number {
  return group.ranges ? group.ranges.reduce((sum, range) => sum + range.high - range.low + 1, 0) : 1;
}

function groupText(group: HostGroup): string {
  if (!group.ranges) return group.prefix + group.suffix;
  const texts = group.ranges.map((range) => {
    const low = pad(range.low, range.width);
    return range.low === range.high ? low : `${low}-${pad(range.high, range.width)}`;
  });
  const only = group.ranges[0];
  const single = group.ranges.length === 1 && only?.low === only?.high;
  return `${group.prefix}${single ? texts.join('') : `[${texts.join(',')}]`}${group.suffix}`;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

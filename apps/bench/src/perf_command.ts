/** One step of a `-R` command string, e.g. `U;p;i=3`, as DAOS's performance programs take it. */
export interface PerfCommand {
  readonly letter: string;
  /** `p`: print its performance. */
  readonly print: boolean;
  /** `v`: say what is done. */
  readonly verbose: boolean;
  /** `k`: later iterations go on with new keys instead of the same ones. */
  readonly keepCounter: boolean;
  /** `i=N`. */
  readonly iterations: number;
  /** `O=`, `D=`, `a=`, `n=`: fewer objects, dkeys, akeys, values than the run has. */
  readonly objects: number | undefined;
  readonly dkeys: number | undefined;
  readonly akeys: number | undefined;
  readonly values: number | undefined;
  /** `o=`, `s=`: part of a value, in bytes. */
  readonly offset: number | undefined;
  readonly size: number | undefined;
  /** Parameters that only some programs know, as given. */
  readonly parameters: readonly string[];
}

const NUMBERS = { i: 'iterations', O: 'objects', D: 'dkeys', a: 'akeys', n: 'values', o: 'offset', s: 'size' } as const;

/**
 * Parses a command string; throws an error that names the step when it is not understood. `extra` are parameters
 * without a value that this program knows besides.
 */
export function parseCommands(text: string, letters: string, extra: readonly string[] = []): PerfCommand[] {
  const steps = text.split(/\s+/).filter(Boolean);
  if (steps.length === 0) throw new Error('-R: no command');
  return steps.map((step) => parseStep(step, letters, extra));
}

function parseStep(step: string, letters: string, extra: readonly string[]): PerfCommand {
  const [letter = '', ...given] = step.split(';');
  if (letter.length !== 1 || !letters.includes(letter)) {
    throw new Error(`-R: "${step}" is not a command; use ${letters.split('').join(', ')}`);
  }
  const numbers: Partial<Record<(typeof NUMBERS)[keyof typeof NUMBERS], number>> = {};
  const words: string[] = [];
  for (const parameter of given) {
    const [, key, digits] = /^([iODanos])=(\d+)$/.exec(parameter) ?? [];
    if (key) numbers[NUMBERS[key as keyof typeof NUMBERS]] = Number(digits);
    else if (['p', 'v', 'k', ...extra].includes(parameter)) words.push(parameter);
    else throw new Error(`-R: "${step}" has the unknown parameter "${parameter}"`);
  }
  for (const [name, value] of Object.entries(numbers)) {
    if (value < 1 && name !== 'offset') throw new Error(`-R: "${step}" has no ${name}`);
  }
  return {
    letter,
    print: words.includes('p'),
    verbose: words.includes('v'),
    keepCounter: words.includes('k'),
    iterations: numbers.iterations ?? 1,
    objects: numbers.objects,
    dkeys: numbers.dkeys,
    akeys: numbers.akeys,
    values: numbers.values,
    offset: numbers.offset,
    size: numbers.size,
    parameters: words.filter((word) => extra.includes(word)),
  };
}

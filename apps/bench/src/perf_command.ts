/** One step of a `-R` command string, e.g. `U;p;i=3`. */
export interface PerfCommand {
  readonly letter: string;
  /** `p`: print its performance. */
  readonly print: boolean;
  /** `i=N`. */
  readonly iterations: number;
  /** Other parameters, as given. */
  readonly parameters: readonly string[];
}

/** Parses a command string; throws an error that names the step when it is not understood. */
export function parseCommands(text: string, letters: string): PerfCommand[] {
  const steps = text.split(/\s+/).filter(Boolean);
  if (steps.length === 0) throw new Error('-R: no command');
  return steps.map((step) => {
    const [letter = '', ...parameters] = step.split(';');
    if (letter.length !== 1 || !letters.includes(letter)) throw new Error(`-R: "${step}" is not a command; use ${letters.split('').join(', ')}`);
    let iterations = 1;
    const others: string[] = [];
    for (const parameter of parameters) {
      const count = /^i=(\d+)$/.exec(parameter);
      if (count) iterations = Number(count[1]);
      else if (parameter !== 'p' && parameter !== 'k') others.push(parameter);
    }
    if (iterations < 1) throw new Error(`-R: "${step}" has no iterations`);
    return { letter, print: parameters.includes('p'), iterations, parameters: others };
  });
}

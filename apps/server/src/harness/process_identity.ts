import { readFileSync } from 'node:fs';

/** A process that cannot be mistaken for another one that got its pid later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot, as /proc tells it. */
  readonly startTicks: string;
}

/** Identity of a running process; undefined when there is none (zombies are none). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name, in brackets, may hold blanks: fields are counted behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const startTicks = fields[19];
    return fields[0] === 'Z' || startTicks === undefined ? undefined : { pid, startTicks };
  } catch {
    return undefined;
  }
}

export function isSameProcess(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startTicks === identity.startTicks;
}

/** True when the process runs and was started with `word` somewhere on its command line. */
export function runsProgram(identity: ProcessIdentity, word: string): boolean {
  if (!isSameProcess(identity)) return false;
  try {
    return readFileSync(`/proc/${identity.pid}/cmdline`, 'utf8').includes(word);
  } catch {
    return false;
  }
}

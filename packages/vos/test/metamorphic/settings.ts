/** Programs in memory that `npm test` runs; `VOS_PROGRAMS=n` runs more, or fewer. */
export const PROGRAMS = 2000;

/** `VOS_SEED=s` begins elsewhere. */
export const FIRST_SEED = Number(process.env['VOS_SEED'] ?? 1);

/** `VOS_PROGRAM=step,step,...`, with a seed: this program alone, and only these steps of it. */
export const ONLY_STEPS = process.env['VOS_PROGRAM']?.split(',').map(Number);

/** How many programs a part of the suite runs that is so many of `PROGRAMS` by default. */
export function share(programs: number): number {
  if (ONLY_STEPS) return 1;
  const wanted = process.env['VOS_PROGRAMS'];
  return wanted === undefined ? programs : Math.ceil((Number(wanted) * programs) / PROGRAMS);
}

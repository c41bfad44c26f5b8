import Table from 'cli-table3';

/** One measured figure, beside a reference measured in the same run: the ratio is what counts on a noisy machine. */
export interface Figure {
  readonly name: string;
  readonly opsPerSecond: number;
  readonly mbPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** What the reference is; absent when none was measured. */
  readonly reference?: string;
  readonly referenceOpsPerSecond?: number;
}

/** The figure as one JSON line. */
export function figureJson(figure: Figure): string {
  return JSON.stringify({
    name: figure.name,
    ops_per_s: round(figure.opsPerSecond),
    mb_per_s: round(figure.mbPerSecond),
    p50_us: round(figure.p50Us),
    p99_us: round(figure.p99Us),
    reference: figure.reference ?? null,
    reference_ops_per_s: figure.referenceOpsPerSecond === undefined ? null : round(figure.referenceOpsPerSecond),
    ratio: figureRatio(figure) ?? null,
  });
}

/** Ours over the reference's, three decimals. */
export function figureRatio(figure: Figure): number | undefined {
  if (!figure.referenceOpsPerSecond) return undefined;
  return Math.round((figure.opsPerSecond / figure.referenceOpsPerSecond) * 1000) / 1000;
}

/** A table for people; `extra` adds a column, e.g. other systems' figures. */
export function figureTable(figures: readonly Figure[], extra?: { readonly title: string; readonly of: (figure: Figure) => string }): string {
  const table = new Table({
    head: ['what', 'ops/s', 'MB/s', 'p50 us', 'p99 us', 'reference', 'ref. ops/s', 'ratio', ...(extra ? [extra.title] : [])],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'left', 'right', 'right', ...(extra ? (['right'] as const) : [])],
    style: { head: [], border: [] },
  });
  for (const figure of figures) {
    table.push([
      figure.name,
      thousands(figure.opsPerSecond),
      round(figure.mbPerSecond).toString(),
      round(figure.p50Us).toString(),
      round(figure.p99Us).toString(),
      figure.reference ?? '',
      figure.referenceOpsPerSecond === undefined ? '' : thousands(figure.referenceOpsPerSecond),
      figureRatio(figure)?.toString() ?? '',
      ...(extra ? [extra.of(figure)] : []),
    ]);
  }
  return table.toString();
}

/** Prints figures as the caller wants them. */
export function printFigures(figures: readonly Figure[], json: boolean): void {
  if (json) for (const figure of figures) process.stdout.write(`${figureJson(figure)}\n`);
  else process.stdout.write(`${figureTable(figures)}\n`);
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

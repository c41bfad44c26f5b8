import type { SingleBar } from 'cli-progress';

import type { CopyStats } from './copier.js';

const REFRESH_MS = 100;
const MB = 1e6;

/** A line on the terminal that tells how far a copy is. */
export class CopyProgress {
  private readonly timer: NodeJS.Timeout;
  private readonly startedMs = performance.now();

  private constructor(
    private readonly bar: SingleBar,
    private readonly stats: CopyStats,
  ) {
    this.timer = setInterval(() => this.draw(), REFRESH_MS);
    this.timer.unref();
  }

  /** Starts to draw on stderr; loads what it needs for that. */
  static async start(stats: CopyStats): Promise<CopyProgress> {
    const { default: cliProgress } = await import('cli-progress');
    const bar = new cliProgress.SingleBar({
      format: 'Copying: {files} files, {megabytes} MB, {rate} MB/s',
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
      // Redrawn by our own timer; the library's would keep the process alive.
      synchronousUpdate: true,
      noTTYOutput: false,
    });
    bar.start(1, 0, { files: 0, megabytes: '0.0', rate: '0.0' });
    return new CopyProgress(bar, stats);
  }

  stop(): void {
    clearInterval(this.timer);
    this.draw();
    this.bar.stop();
  }

  private draw(): void {
    const seconds = Math.max(0.001, (performance.now() - this.startedMs) / 1000);
    const { files, bytes } = this.stats;
    this.bar.update(0, { files, megabytes: (bytes / MB).toFixed(1), rate: (bytes / MB / seconds).toFixed(1) });
  }
}

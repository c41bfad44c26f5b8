import { Worker } from 'node:worker_threads';

import { DaosError } from '@daos/common';
import { getLogger } from '@daos/gurt';

import { plainError, rebuildError } from './plain_error.js';
import type { TargetStart, TargetStarted } from './target_worker.js';
import { ThreadLink } from './thread_link.js';

const log = getLogger('server');

/** A target's thread as the system xstream sees it. */
export class TargetThread {
  readonly link: ThreadLink;
  private stopping = false;

  private constructor(readonly target: number, private readonly worker: Worker, link: ThreadLink) {
    this.link = link;
  }

  /**
   * Starts a thread and waits until its modules are started; throws what kept them from it.
   * `onDeath` is called when the thread ends by itself afterwards.
   */
  static async start(start: TargetStart, serve: (to: number, name: string, args: unknown) => Promise<unknown>,
    onDeath: (error: Error) => void): Promise<TargetThread> {
    const worker = new Worker(new URL('./target_worker.js', import.meta.url), {
      workerData: start, name: `daos_io_${start.target}`,
    });
    const link = new ThreadLink(worker, serve);
    const thread = new TargetThread(start.target, worker, link);
    await thread.started();
    worker.on('exit', (code) => thread.onExit(code, onDeath));
    return thread;
  }

  async terminate(): Promise<void> {
    this.stopping = true;
    this.link.close(new DaosError('SHUTDOWN', `target ${this.target} is stopped`));
    await this.worker.terminate();
  }

  private started(): Promise<void> {
    const { worker, target } = this;
    return new Promise((resolve, reject) => {
      worker.on('message', (message: TargetStarted) => {
        if (message.kind !== 'started') return;
        if (message.error) reject(rebuildError(message.error));
        else resolve();
      });
      worker.on('error', (error: unknown) => {
        const plain = plainError(error);
        log.crit(`target ${target} failed: ${plain.stack ?? plain.message}`);
        reject(rebuildError(plain));
      });
      worker.once('exit', (code) => reject(new Error(`the thread of target ${target} ended with code ${code}`)));
    });
  }

  private onExit(code: number, onDeath: (error: Error) => void): void {
    this.link.close(new DaosError('SHUTDOWN', `the thread of target ${this.target} has ended`));
    if (!this.stopping) onDeath(new Error(`the thread of target ${this.target} ended with code ${code}`));
  }
}

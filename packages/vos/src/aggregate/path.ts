import type { Epoch } from '@daos/common';

import { LogState, type LogViewer } from '../ilog/log_state.js';
import type { Head } from '../layout/head.js';
import type { Heads } from '../layout/heads.js';

/** An object, dkey or akey that is being worked on, across slices: its head may fall out of memory, or be deleted. */
export class Path {
  private readonly seen: LogState = new LogState();

  constructor(
    private readonly heads: Heads,
    private last: Head,
    readonly parent: Path | undefined,
  ) {}

  get no(): number {
    return this.last.no;
  }

  /** The head that counts now; undefined: it is gone, or something above it. */
  current(): Head | undefined {
    if (this.parent && !this.parent.current()) return undefined;
    const head = this.heads.current(this.last);
    if (head?.no !== this.last.no) return undefined;
    this.last = head;
    return head;
  }

  /** What is in force at `epoch`, above and at this level. Good until the next call. Call when it is there. */
  stateAt(epoch: Epoch, viewer: LogViewer): LogState {
    const above = this.parent?.stateAt(epoch, viewer);
    const state = this.seen.reset(above);
    this.last.log.parse(epoch, epoch, viewer, state);
    return state;
  }
}

import { DaosError } from '@daos/common';

import { vosPathParse, type VosPath } from './path/vos_path.js';
import type { DdbPool } from './pool/ddb_pool.js';
import type { DdbStore } from './pool/ddb_store.js';

export interface SessionOptions {
  /** Commands may modify what they open themselves. */
  readonly write?: boolean;
  /** Folder of the system's database, where it is not that of the shard. */
  readonly dbPath?: string;
}

interface OpenShard {
  readonly pool: DdbPool;
  readonly path: VosPath;
  readonly isWritable: boolean;
}

/** One run of ddb: the shard that is open, and where its output goes. */
export class Session {
  private shard: OpenShard | undefined;
  /** Set by `quit`. */
  isOver = false;

  constructor(
    readonly store: DdbStore,
    readonly print: (line: string) => void,
    readonly options: SessionOptions = {},
  ) {}

  get isOpen(): boolean {
    return this.shard !== undefined;
  }

  /** Whether the open shard may be modified. */
  get isWritable(): boolean {
    return this.shard?.isWritable ?? false;
  }

  get path(): VosPath | undefined {
    return this.shard?.path;
  }

  /** The open shard. DER_NONEXIST when there is none. */
  get pool(): DdbPool {
    if (!this.shard) throw new DaosError('NONEXIST', 'no shard is open: use open PATH');
    return this.shard.pool;
  }

  /** DER_BUSY when a shard is open; what is wrong with the path, see `vosPathParse`. */
  async open(path: string, { write = false, dbPath = this.options.dbPath }: SessionOptions = {}): Promise<void> {
    if (this.shard) throw new DaosError('BUSY', `${this.shard.path.path} is open: close it first`);
    const vosPath = vosPathParse(path, dbPath);
    const pool = await this.store.openPool(vosPath, { write });
    this.shard = { pool, path: vosPath, isWritable: write };
  }

  /** Closes the shard; it is no error when none is open. */
  async close(): Promise<void> {
    const shard = this.shard;
    this.shard = undefined;
    await shard?.pool.close();
  }

  /** DER_INVAL unless the open shard may be modified. */
  checkWritable(command: string): void {
    if (this.shard && !this.shard.isWritable) {
      throw new DaosError('INVAL', `${command} modifies the shard: open it with -w`);
    }
  }
}

import { CopyError } from './copy_error.js';
import { pathOf, type SourceFile, type TargetFile, type TreeFolder, type TreeNode } from './folder.js';
import { BufferPool, Slots } from './slots.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Files under way at once. Small files spend their time waiting for servers; this many hide it. */
const FILES_IN_FLIGHT = 64;
/** Files up to this size are read and stored as one. */
const SMALL_BYTES_MAX = 256 * KIB;
/** Larger files move in pieces of this size, several at once. */
const PIECE_BYTES = 4 * MIB;
const PIECES_IN_FLIGHT = 4;
const STICKY_BIT = 0o1000;
/** What the owner needs to fill a folder. */
const FILL_BITS = 0o700;

export interface CopyStats {
  directories: number;
  files: number;
  links: number;
  bytes: number;
  /** Things that the target cannot store: special files and sticky bits. */
  unsupported: number;
}

export interface CopyOptions {
  readonly signal: AbortSignal;
  /** Whether the target keeps sticky bits. */
  readonly keepsSticky: boolean;
  /** Told of everything that the target cannot store. */
  readonly onUnsupported: (path: string, what: string) => void;
}

/** A target folder that waits for its contents before it gets its final mode. */
interface Finish {
  readonly folder: TreeFolder;
  readonly source: TreeFolder;
  readonly parent: Finish | undefined;
  readonly setMode: (() => Promise<void>) | undefined;
  /** Children under way, and one for the listing itself. */
  open: number;
}

/** Copies trees. One instance makes one copy. */
export class Copier {
  readonly stats: CopyStats = { directories: 0, files: 0, links: 0, bytes: 0, unsupported: 0 };
  private readonly slots = new Slots(FILES_IN_FLIGHT);
  private readonly small = new BufferPool(FILES_IN_FLIGHT, SMALL_BYTES_MAX);
  private readonly pieces = new BufferPool(PIECES_IN_FLIGHT, PIECE_BYTES);
  private readonly running = new Set<Promise<void>>();
  private failure: { error: unknown } | undefined;

  constructor(private readonly options: CopyOptions) {}

  /**
   * Copies `node` of `from` to `name` in `to`: a file, a symlink, or a folder with all that it holds. Rejects with the
   * first `CopyError`, or the signal's reason, once nothing is under way any more.
   */
  async copy(from: TreeFolder, node: TreeNode, to: TreeFolder, name: Buffer): Promise<void> {
    try {
      if (node.kind === 'directory') await this.walk(await this.enter({ from, node, to, name, parent: undefined }));
      else await this.start(from, node, to, name, undefined);
    } catch (error) {
      this.failure ??= { error };
    }
    await this.settle();
  }

  /** Copies everything in `from` into the existing folder `to`. */
  async copyContents(from: TreeFolder, to: TreeFolder): Promise<void> {
    try {
      this.stats.directories++;
      // Both belong to the caller, so nothing is left to do when it is full.
      await this.walk([{ folder: to, source: from, parent: undefined, setMode: undefined, open: Number.MAX_SAFE_INTEGER }]);
    } catch (error) {
      this.failure ??= { error };
    }
    await this.settle();
  }

  /** Whether nothing new is to be begun. */
  private get stopped(): boolean {
    return this.failure !== undefined || this.options.signal.aborted;
  }

  private async settle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
    if (this.failure) throw this.failure.error;
    this.options.signal.throwIfAborted();
  }

  /** Lists folders one after the other, depth first, while their files are being copied. */
  private async walk(stack: Finish[]): Promise<void> {
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const finish = at;
      await attempt('Failed to read folder', finish.source.path, async () => {
        for await (const node of finish.source.nodes()) {
          if (this.stopped) return;
          finish.open++;
          if (node.kind === 'directory') {
            stack.push(...(await this.enter({ from: finish.source, node, to: finish.folder, name: node.name, parent: finish })));
          } else await this.start(finish.source, node, finish.folder, node.name, finish);
        }
      });
      if (this.stopped) return;
      await this.leave(finish);
    }
  }

  /** Makes the target folder of a source folder. */
  private async enter(step: {
    from: TreeFolder;
    node: TreeNode;
    to: TreeFolder;
    name: Buffer;
    parent: Finish | undefined;
  }): Promise<Finish[]> {
    const { from, node, to, name, parent } = step;
    const source = await attempt('Failed to open folder', pathOf(from, node.name), () => from.openFolder(node));
    const path = pathOf(to, name);
    const mode = this.supportedMode(node, pathOf(from, node.name));
    const folder = await attempt('Failed to create folder', path, () => to.makeFolder(name, mode | FILL_BITS));
    this.stats.directories++;
    const isFinal = (mode & FILL_BITS) === FILL_BITS;
    const setMode = isFinal ? undefined : () => attempt('Failed to set mode of', path, () => to.setMode(name, mode));
    return [{ folder, source, parent, setMode, open: 1 }];
  }

  /** One child of a folder is done; the last one completes the folder, and so on upwards. */
  private async leave(finish: Finish): Promise<void> {
    for (let at: Finish | undefined = finish; at !== undefined && --at.open === 0; at = at.parent) {
      await at.setMode?.();
      await Promise.all([at.folder.close(), at.source.close()]);
    }
  }

  /** Starts to copy a file, link or special file, when there is a place. */
  private async start(from: TreeFolder, node: TreeNode, to: TreeFolder, name: Buffer, parent: Finish | undefined): Promise<void> {
    await this.slots.acquire();
    if (this.stopped) {
      this.slots.release();
      return;
    }
    const task = this.copyLeaf(from, node, to, name)
      .then(() => (parent ? this.leave(parent) : undefined))
      .catch((error: unknown) => {
        this.failure ??= { error };
      })
      .finally(() => {
        this.running.delete(task);
        this.slots.release();
      });
    this.running.add(task);
  }

  private async copyLeaf(from: TreeFolder, node: TreeNode, to: TreeFolder, name: Buffer): Promise<void> {
    const path = pathOf(from, node.name);
    if (node.kind === 'symlink') {
      const target = await attempt('Failed to read link', path, () => from.readLink(node));
      await attempt('Failed to create link', pathOf(to, name), () => to.makeLink(name, target));
      this.stats.links++;
    } else if (node.kind === 'file') {
      await this.copyFile(from, node, to, name);
      if (!this.stopped) this.stats.files++;
    } else {
      this.stats.unsupported++;
      this.options.onUnsupported(path, 'special file');
    }
  }

  private async copyFile(from: TreeFolder, node: TreeNode, to: TreeFolder, name: Buffer): Promise<void> {
    const path = pathOf(from, node.name);
    const mode = this.supportedMode(node, path);
    const source = await attempt('Failed to open', path, () => from.openSource(node));
    try {
      if (node.size === undefined || node.size <= SMALL_BYTES_MAX) {
        if (await this.copySmall(source, path, to, name, mode)) return;
      }
      await this.copyLarge(source, path, to, name, mode);
    } finally {
      await source.close();
    }
  }

  /** Copies a file that fits one buffer; false when it turns out not to. */
  private async copySmall(source: SourceFile, path: string, to: TreeFolder, name: Buffer, mode: number): Promise<boolean> {
    const buffer = await this.small.take();
    try {
      const length = await attempt('File read failed:', path, () => source.read(buffer, 0));
      if (length === buffer.length) return false;
      await attempt('File write failed:', pathOf(to, name), () => to.storeFile(name, buffer.subarray(0, length), mode));
      this.stats.bytes += length;
      return true;
    } finally {
      this.small.give(buffer);
    }
  }

  /** Copies a file piece by piece, several pieces at once and in any order. */
  private async copyLarge(source: SourceFile, path: string, to: TreeFolder, name: Buffer, mode: number): Promise<void> {
    const targetPath = pathOf(to, name);
    const size = await attempt('Failed to stat', path, () => source.size());
    const target = await attempt('Failed to create', targetPath, () => to.createFile(name, mode));
    const pieces = new Set<Promise<void>>();
    let failed: { error: unknown } | undefined;
    try {
      for (let offset = 0; offset < size && !failed && !this.stopped; offset += PIECE_BYTES) {
        const buffer = await this.pieces.take();
        const wanted = buffer.subarray(0, Math.min(PIECE_BYTES, size - offset));
        const piece = this.copyPiece(source, path, target, targetPath, wanted, offset)
          .catch((error: unknown) => {
            failed ??= { error };
          })
          .finally(() => {
            pieces.delete(piece);
            this.pieces.give(buffer);
          });
        pieces.add(piece);
      }
      await Promise.all(pieces);
    } finally {
      await target.close();
    }
    if (failed) throw (failed as { error: unknown }).error;
  }

  private async copyPiece(
    source: SourceFile,
    path: string,
    target: TargetFile,
    targetPath: string,
    wanted: Buffer,
    offset: number,
  ): Promise<void> {
    const length = await attempt('File read failed:', path, () => source.read(wanted, offset));
    // A source that shrinks meanwhile is copied as far as it goes.
    if (length > 0) await attempt('File write failed:', targetPath, () => target.write(wanted.subarray(0, length), offset));
    this.stats.bytes += length;
  }

  private supportedMode(node: TreeNode, path: string): number {
    if (this.options.keepsSticky || (node.mode & STICKY_BIT) === 0) return node.mode;
    this.stats.unsupported++;
    this.options.onUnsupported(path, 'sticky bit');
    return node.mode & ~STICKY_BIT;
  }
}

/** Runs a step; its failure names the step and the file. */
async function attempt<T>(what: string, path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw error instanceof CopyError ? error : new CopyError(what, path, error);
  }
}

export type NodeKind = 'file' | 'directory' | 'symlink' | 'other';

/** An entry of a folder, as far as copying needs to know it. */
export interface TreeNode {
  /** Bytes as stored; they need not be UTF-8. */
  readonly name: Buffer;
  readonly kind: NodeKind;
  /** Permission bits. */
  readonly mode: number;
  /** Bytes of a file, where the folder knows them without asking. */
  readonly size: number | undefined;
}

/** A file open for reading. */
export interface SourceFile {
  /** Fills `into` from `offset`; fewer bytes only at the end of the file. */
  read(into: Uint8Array, offset: number): Promise<number>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** A file open for writing. */
export interface TargetFile {
  write(data: Uint8Array, offset: number): Promise<void>;
  close(): Promise<void>;
}

/** One folder of a tree to copy from or to: on this host or in a container. */
export interface TreeFolder {
  /** For messages. */
  readonly path: string;
  nodes(): AsyncIterable<TreeNode>;
  /** The entry with this name, symlinks not followed; undefined when there is none. */
  node(name: Buffer): Promise<TreeNode | undefined>;
  openFolder(node: TreeNode): Promise<TreeFolder>;
  openSource(node: TreeNode): Promise<SourceFile>;
  readLink(node: TreeNode): Promise<Buffer>;
  /** Stores a whole small file; an existing one is overwritten. */
  storeFile(name: Buffer, data: Uint8Array, mode: number): Promise<void>;
  /** Creates a file, or empties an existing one, for writing. */
  createFile(name: Buffer, mode: number): Promise<TargetFile>;
  /** Creates a folder, or opens an existing one. */
  makeFolder(name: Buffer, mode: number): Promise<TreeFolder>;
  /** Creates a symlink; an existing entry is left alone. */
  makeLink(name: Buffer, target: Buffer): Promise<void>;
  setMode(name: Buffer, mode: number): Promise<void>;
  close(): Promise<void>;
}

/** Path of an entry, for messages. */
export function pathOf(folder: TreeFolder, name: Buffer): string {
  return `${folder.path === '/' ? '' : folder.path}/${name.toString()}`;
}

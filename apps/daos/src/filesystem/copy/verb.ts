import type { Daos } from '@daos/client';
import { DaosError } from '@daos/common';
import { ContextError } from '@daos/control';
import { InterruptedError, type VerbContext, type VerbResult } from '@daos/control/cli';

import { isDaosUri } from '../../daos_uri.js';
import { withDaos } from '../../session.js';
import { Copier, type CopyStats } from './copier.js';
import { CopyError, daosErrorOf, reasonText } from './copy_error.js';
import { pathOf } from './folder.js';
import { ConnectError, daosEnd, localEnd, splitPath, type TreeEnd } from './tree_end.js';

/** `daos filesystem copy`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const src = String(context.options.src);
  const dst = String(context.options.dst);
  if (context.options.preserveProps !== undefined) {
    throw new ContextError('filesystem copy', new DaosError('NOSYS', 'this release cannot store container properties in a file'));
  }
  if (!isDaosUri(src) && !isDaosUri(dst)) return copyBetween(context, src, dst, localEnd(src), () => Promise.resolve(localEnd(dst)));
  return withDaos(context, async (daos) => {
    const source = await openEnd(context, daos, src, 'source').catch((error: unknown) => fail(context, src, dst, error));
    return copyBetween(context, src, dst, source, () => openEnd(context, daos, dst, 'destination'));
  });
}

function openEnd(context: VerbContext, daos: Daos, text: string, role: 'source' | 'destination'): Promise<TreeEnd> {
  return isDaosUri(text) ? daosEnd(daos, text, role, context.signal) : Promise.resolve(localEnd(text));
}

async function copyBetween(context: VerbContext, src: string, dst: string, source: TreeEnd, openTarget: () => Promise<TreeEnd>): Promise<VerbResult> {
  let target: TreeEnd | undefined;
  const copier = new Copier({
    signal: context.signal,
    keepsSticky: !isDaosUri(dst),
    onUnsupported: (path, what) => {
      if (context.options.ignoreUnsupported !== true) context.io.error(`${what} not supported on destination: '${path}'`);
    },
  });
  try {
    // A source that is not there must not cost a new container.
    await requireSource(source);
    target = await openTarget();
    refuseOverlap(source, target);
    await copyWithProgress(context, copier, source, target);
  } catch (error) {
    if (context.signal.aborted) throw interrupted(copier.stats, dst);
    return fail(context, src, dst, error);
  } finally {
    await closeQuietly(source);
    if (target) await closeQuietly(target);
  }
  return report(context, dst, source, target, copier.stats);
}

async function requireSource(source: TreeEnd): Promise<void> {
  const { folder, name } = splitPath(source.path);
  try {
    const parent = await source.folder(folder);
    if (name === '' || (await parent.node(Buffer.from(name)))) return;
  } catch (error) {
    throw new CopyError('Failed to stat', source.path, error);
  }
  throw new CopyError('Failed to stat', source.path, new DaosError('NONEXIST'));
}

function refuseOverlap(source: TreeEnd, target: TreeEnd): void {
  if (source.tree !== target.tree) return;
  const inside = source.path === '/' ? '/' : `${source.path}/`;
  if (target.path === source.path || target.path.startsWith(inside)) {
    throw new CopyError('Destination lies inside the source', target.path, new DaosError('INVAL'));
  }
}

async function copyWithProgress(context: VerbContext, copier: Copier, source: TreeEnd, target: TreeEnd): Promise<void> {
  const shown = context.io.stderrIsTerminal && !context.json;
  const progress = shown ? await (await import('./progress.js')).CopyProgress.start(copier.stats) : undefined;
  try {
    await copyTree(copier, source, target);
  } finally {
    progress?.stop();
  }
}

/** An existing folder as the target takes the source inside; any other target is the copy's own name. */
async function copyTree(copier: Copier, source: TreeEnd, target: TreeEnd): Promise<void> {
  const from = splitPath(source.path);
  const existing = await existingFolder(target);
  if (from.name === '') {
    const root = await source.folder('/');
    if (existing !== undefined) return copier.copyContents(root, existing);
    const to = await targetParent(target);
    const made = await to.folder.makeFolder(to.name, 0o755);
    return copier.copyContents(root, made);
  }
  const parent = await source.folder(from.folder);
  const node = await parent.node(Buffer.from(from.name));
  if (!node) throw new CopyError('Failed to stat', source.path, new DaosError('NONEXIST'));
  if (existing !== undefined) return copier.copy(parent, node, existing, node.name);
  const to = await targetParent(target);
  return copier.copy(parent, node, to.folder, to.name);
}

async function existingFolder(target: TreeEnd) {
  const { folder, name } = splitPath(target.path);
  if (name === '') return target.folder('/');
  const parent = await target.folder(folder).catch((error: unknown) => {
    throw new CopyError('Failed to stat', folder, error);
  });
  const found = await parent.node(Buffer.from(name));
  return found?.kind === 'directory' ? target.folder(pathOf(parent, found.name)) : undefined;
}

async function targetParent(target: TreeEnd) {
  const { folder, name } = splitPath(target.path);
  return { folder: await target.folder(folder), name: Buffer.from(name) };
}

function report(context: VerbContext, dst: string, source: TreeEnd, target: TreeEnd, stats: CopyStats): VerbResult {
  const kind = target.uri ? 'DAOS' : 'POSIX';
  context.io.print(
    `Successfully copied to ${kind}: ${dst}\n    Directories: ${stats.directories}\n    Files:       ${stats.files}\n` +
      `    Links:       ${stats.links}\n`,
  );
  if (target.createdContainer !== undefined) context.io.print(`Successfully created container ${target.createdContainer}\n`);
  if (stats.unsupported > 0 && context.options.ignoreUnsupported !== true) {
    throw new Error(`${stats.unsupported} unsupported feature${stats.unsupported === 1 ? '' : 's'} left out; --ignore-unsupported accepts that`);
  }
  return {
    json: {
      src_pool: source.uri?.pool ?? '',
      src_cont: source.uri?.container ?? '',
      dst_pool: target.uri?.pool ?? '',
      dst_cont: target.uri?.container ?? '',
      copy_stats: { num_dirs: stats.directories, num_files: stats.files, num_links: stats.links },
    },
  };
}

function fail(context: VerbContext, src: string, dst: string, error: unknown): never {
  const status = daosErrorOf(error);
  if (error instanceof CopyError || error instanceof ConnectError) context.io.error(error.message);
  context.io.error(`fs copy failed${error instanceof ConnectError ? ' to connect' : ''}: ${reasonText(status)}`);
  throw new ContextError(`failed to copy ${src} -> ${dst}`, status);
}

function interrupted(stats: CopyStats, dst: string): InterruptedError {
  return new InterruptedError(`copy interrupted after ${stats.files} files and ${stats.bytes} bytes; ${dst} is incomplete`);
}

async function closeQuietly(end: TreeEnd): Promise<void> {
  try {
    await end.close();
  } catch {
    // All data were stored when their writes returned.
  }
}

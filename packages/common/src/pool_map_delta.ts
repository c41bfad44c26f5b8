import { DaosError } from './error.js';
import { COMPONENT_BYTES, componentRead, componentWrite, type PoolComponent } from './pool_component.js';
import { PoolMap } from './pool_map.js';

/**
 * What turns one version of a pool map into a later one, so that a change of some targets does not send the whole map
 * to everybody. Little endian: format u32 | from version u32 | to version u32 | runs u32, then the runs, which give
 * the components of the new map in stored order: start u32 | count u32, either `count` components of the old map from
 * place `start` on, or (start 0xffffffff) `count` components that follow in full.
 */
const FORMAT = 1;
const HEADER_BYTES = 16;
const RUN_BYTES = 8;
const IN_FULL = 0xffff_ffff;

interface Run {
  start: number;
  count: number;
}

/** The changes from one version of a map to a later one of the same pool. */
export function poolMapDeltaEncode(from: PoolMap, to: PoolMap): Buffer {
  const before = from.components();
  const after = to.components();
  const runs = runsOf(before, after);
  const full = runs.reduce((count, run) => count + (run.start === IN_FULL ? run.count : 0), 0);
  const out = Buffer.alloc(HEADER_BYTES + runs.length * RUN_BYTES + full * COMPONENT_BYTES);
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  [FORMAT, from.version, to.version, runs.length].forEach((word, i) => view.setUint32(4 * i, word, true));
  let at = HEADER_BYTES;
  let place = 0;
  for (const { start, count } of runs) {
    view.setUint32(at, start, true);
    view.setUint32(at + 4, count, true);
    at += RUN_BYTES;
    if (start === IN_FULL) {
      for (const component of after.slice(place, place + count)) {
        componentWrite(view, at, component);
        at += COMPONENT_BYTES;
      }
    }
    place += count;
  }
  return out;
}

/** Runs of the new components: kept ones by their place in the old map, changed and new ones in full. */
function runsOf(before: readonly PoolComponent[], after: readonly PoolComponent[]): Run[] {
  const runs: Run[] = [];
  let old = 0;
  for (const component of after) {
    const counterpart = before[old];
    const isSame = counterpart?.type === component.type && counterpart.id === component.id;
    const isKept = isSame && componentEquals(counterpart, component);
    const last = runs.at(-1);
    const start = isKept ? old : IN_FULL;
    if (last && (isKept ? last.start !== IN_FULL && last.start + last.count === old : last.start === IN_FULL)) last.count++;
    else runs.push({ start, count: 1 });
    if (isSame) old++;
  }
  return runs;
}

function componentEquals(a: PoolComponent, b: PoolComponent): boolean {
  return (
    a.status === b.status && a.index === b.index && a.rank === b.rank && a.version === b.version && a.failSeq === b.failSeq &&
    a.inOutVersion === b.inOutVersion && a.flags === b.flags && a.childCount === b.childCount
  );
}

/**
 * The later version of a map. Throws DER_MISMATCH when the changes are from another version than this map's, in which
 * case the whole map has to be fetched; DER_INVAL when they are damaged, DER_DF_INCOMPT when their format is unknown.
 */
export function poolMapDeltaApply(map: PoolMap, bytes: Uint8Array): PoolMap {
  if (bytes.length < HEADER_BYTES) throw damaged(`${bytes.length} bytes are too few`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [format, from, to, runs] = [0, 4, 8, 12].map((at) => view.getUint32(at, true)) as [number, number, number, number];
  if (format !== FORMAT) throw new DaosError('DF_INCOMPT', `pool map changes of format ${format}; this version reads ${FORMAT}`);
  if (from !== map.version) throw new DaosError('MISMATCH', `pool map changes from version ${from}, the map has version ${map.version}`);
  if (to < from) throw damaged(`they lead from version ${from} back to ${to}`);
  const before = map.components();
  const after: PoolComponent[] = [];
  let at = HEADER_BYTES;
  for (let run = 0; run < runs; run++) {
    if (at + RUN_BYTES > bytes.length) throw damaged('they end within a run');
    const start = view.getUint32(at, true);
    const count = view.getUint32(at + 4, true);
    at += RUN_BYTES;
    if (start !== IN_FULL) {
      if (start + count > before.length) throw damaged(`components ${start} to ${start + count} of ${before.length}`);
      // A map grows by what stands in full only: more copies than components are no map.
      if (after.length + count > before.length + bytes.length / COMPONENT_BYTES) throw damaged('components are repeated');
      for (let place = start; place < start + count; place++) after.push(before[place] as PoolComponent);
      continue;
    }
    if (at + count * COMPONENT_BYTES > bytes.length) throw damaged('they end within a component');
    for (let i = 0; i < count; i++, at += COMPONENT_BYTES) after.push(componentRead(view, at));
  }
  if (at !== bytes.length) throw damaged(`${bytes.length - at} bytes are left over`);
  return PoolMap.fromComponents(after, to);
}

function damaged(what: string): DaosError {
  return new DaosError('INVAL', `pool map changes are damaged: ${what}`);
}

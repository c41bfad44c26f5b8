import { DaosError, objectIdClass, objectIdParse, objectIdToString, type ObjectId } from '@daos/common';

import { layoutGroup, type ObjectLayout, type ShardPlace } from './object_layout.js';

/** Where an object lives, as tools show it: groups of places. */
export interface LayoutSummary {
  readonly oid: string;
  readonly version: number;
  readonly className: string;
  readonly groups: readonly (readonly { readonly rank: number; readonly target: number }[])[];
}

/** JSON form of a layout as tools print it. */
export interface LayoutJson {
  readonly oid: string;
  readonly version: number;
  readonly class: string;
  readonly shards: readonly { readonly replicas: readonly { readonly rank: number; readonly target: number }[] }[];
}

/** What of a layout is shown: empty slots are left out. Throws DER_INVAL when the id names no class. */
export function layoutSummary(oid: ObjectId, layout: ObjectLayout): LayoutSummary {
  const groups = Array.from({ length: layout.groupCount }, (_, group) =>
    layoutGroup(layout, group).filter((place) => place.targetId >= 0).map(({ rank, target }) => ({ rank, target })),
  );
  return { oid: objectIdToString(oid), version: layout.version, className: objectIdClass(oid).name, groups };
}

/** The lines of `daos object query`. */
export function layoutText({ oid, version, groups }: LayoutSummary): string {
  const lines = [`oid: ${oid} ver ${version} grp_nr: ${groups.length}`];
  groups.forEach((group, index) => {
    lines.push(`grp: ${index}`);
    group.forEach(({ rank, target }, replica) => lines.push(`replica ${replica} ${rank}:${target}`));
  });
  return `${lines.join('\n')}\n`;
}

/** The same as JSON. */
export function layoutJson({ oid, version, className, groups }: LayoutSummary): LayoutJson {
  return {
    oid,
    version,
    class: className,
    shards: groups.map((group) => ({ replicas: group.map(({ rank, target }) => ({ rank, target })) })),
  };
}

/**
 * A layout on one line per group, for tests and bug reports; nothing is lost. A shard is
 * `SHARD@RANK:TARGET(ID)fFAILSEQ` and then `*` when it is being rebuilt, `+` when its target returns or is new; an
 * empty slot is `-`.
 */
export function layoutFormat(oid: ObjectId, layout: ObjectLayout): string {
  const { version, groupCount, groupSize, classGroupSize, peers } = layout;
  const head = `${objectIdToString(oid)} v${version} groups ${groupCount} of ${classGroupSize}/${groupSize} peers ${peers}`;
  const groups = Array.from({ length: groupCount }, (_, group) => layoutGroup(layout, group).map(shardText).join(' '));
  return `${[head, ...groups].join('\n')}\n`;
}

function shardText({ shard, rank, target, targetId, failSeq, rebuilding, reintegrating }: ShardPlace): string {
  if (shard < 0 && failSeq === 0) return '-';
  return `${shard}@${rank}:${target}(${targetId})f${failSeq}${rebuilding ? '*' : ''}${reintegrating ? '+' : ''}`;
}

/** Reads `layoutFormat`'s text. Throws DER_INVAL when it is anything else. */
export function layoutParse(text: string): { oid: ObjectId; layout: ObjectLayout } {
  const [head = '', ...lines] = text.replace(/\n$/, '').split('\n');
  const match = /^(\S+) v(\d+) groups (\d+) of (\d+)\/(\d+) peers (\d+)$/.exec(head);
  if (!match) throw new DaosError('INVAL', `not the head of a layout: "${head}"`);
  const [version, groupCount, classGroupSize, groupSize, peers] = match.slice(2).map(Number) as [number, number, number, number, number];
  const shards = lines.flatMap((line) => line.split(' ').map(parseShard));
  if (lines.length !== groupCount || shards.length !== groupCount * groupSize) {
    throw new DaosError('INVAL', `a layout of ${groupCount} groups of ${groupSize} with ${lines.length} lines and ${shards.length} shards`);
  }
  return { oid: objectIdParse(match[1] ?? ''), layout: { version, groupCount, groupSize, classGroupSize, peers, shards } };
}

function parseShard(text: string): ShardPlace {
  const match = text === '-' ? ['', '-1', '-1', '-1', '-1', '0', '', ''] : /^(-?\d+)@(-?\d+):(-?\d+)\((-?\d+)\)f(\d+)(\*?)(\+?)$/.exec(text);
  if (!match) throw new DaosError('INVAL', `not a shard of a layout: "${text}"`);
  const [shard, rank, target, targetId, failSeq] = match.slice(1, 6).map(Number) as [number, number, number, number, number];
  return { shard, rank, target, targetId, failSeq, rebuilding: match[6] === '*', reintegrating: match[7] === '+' };
}

import { DaosError } from '@daos/common';

import { AkeyHead } from '../layout/head.js';
import type { ExtentRef, IndexRange } from '../value/extent/extent_ref.js';
import type { ValueRecord } from '../value/value_record.js';
import type { IterContext } from './context.js';
import type { Item, Parent } from './level.js';
import { VosIterType } from './types.js';

/** The akey that values are read below; undefined when it is gone. */
export function akeyOf(context: IterContext, { indexKey, no }: Parent): AkeyHead | undefined {
  const head = context.store.heads.at(indexKey);
  return head instanceof AkeyHead && head.no === no ? head : undefined;
}

/** The entry of a version of a single value, or of a piece of an extent. */
export function valueItem(
  context: IterContext,
  parent: Parent,
  record: ValueRecord,
  piece: IndexRange & { readonly visibility: number; readonly isSorted: boolean },
): Item {
  const { epoch, minor, lo, hi } = record;
  const ref: ExtentRef = { lo, hi, epoch, minor };
  const pieceBytes = Number(piece.hi - piece.lo + 1n) * record.size;
  const pieceFrom = Number(piece.lo - lo) * record.size;
  const dtxState = context.dtxStateOf(record.owner);
  return {
    entry: {
      type: record.isExtent ? VosIterType.RECX : VosIterType.SINGLE,
      epoch,
      minor,
      punchEpoch: parent.state.punch.epoch,
      objectPunchEpoch: parent.objectPunch,
      recordSize: record.size,
      recx: { idx: piece.lo, nr: piece.hi - piece.lo + 1n },
      originalRecx: { idx: lo, nr: record.nr },
      checksums: record.checksums,
      visibility: piece.visibility,
      isCorrupted: record.isCorrupted,
      media: record.block >= 0 ? 'nvme' : 'scm',
      dtxState,
      read: (from = record.isExtent ? pieceFrom : 0, length = record.isExtent ? pieceBytes : record.size) => {
        if (from < 0 || length < 0 || from + length > record.dataBytes) {
          throw new DaosError('INVAL', `${length} bytes from byte ${from} on of a value of ${record.dataBytes} bytes`);
        }
        return context.store.data.read(record, from, length);
      },
    },
    place: record.isExtent
      ? { kind: 'record', ref: piece.isSorted ? { ...ref, lo: piece.lo, hi: piece.hi } : ref, isInclusive: true }
      : { kind: 'index', index: epoch, isInclusive: true },
    delete: () => {
      if (record.isExtent && piece.isSorted) throw new DaosError('NOSYS', 'a piece of a sorted iteration: delete the extent it is of');
      change(context, parent, (head) => {
        const { singles, extents } = context.store;
        return record.isExtent ? extents.delete(head, ref) : singles.delete(head, epoch);
      });
    },
    markCorrupt: () => change(context, parent, (head) => {
      const { singles, extents } = context.store;
      return record.isExtent ? extents.markCorrupted(head, ref) : singles.markCorrupted(head, epoch);
    }),
    validate: () => {
      const head = akeyOf(context, parent);
      if (!head) return false;
      const { singles, extents } = context.store;
      return (record.isExtent ? extents.find(head, ref) : singles.recordAt(head, epoch)) !== undefined;
    },
  };
}

function change(context: IterContext, parent: Parent, work: (head: AkeyHead) => boolean): void {
  const head = akeyOf(context, parent);
  if (!head || !work(head)) throw new DaosError('NONEXIST', 'the value was removed already');
  context.store.heads.modified(head);
}

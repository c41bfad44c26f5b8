import { DaosError, isUuid, type Epoch, type Uuid } from '@daos/common';

/** Identity of a distributed transaction. */
export interface DtxId {
  readonly uuid: Uuid;
  /** Clock value at which its leader began it. */
  readonly hlc: Epoch;
}

const UUID_CHARS = 36;
const HLC_RE = /^(?:0x)?[0-9a-f]{1,16}$/i;

/** `uuid.hlc`, the clock in hexadecimal. */
export function dtxIdText({ uuid, hlc }: DtxId): string {
  return `${uuid}.${hlc.toString(16)}`;
}

/** Reads the text of `dtxIdText`. DER_INVAL for anything else. */
export function dtxIdParse(text: string): DtxId {
  const uuid = text.slice(0, UUID_CHARS);
  const hlc = text.slice(UUID_CHARS + 1);
  if (text[UUID_CHARS] !== '.' || !isUuid(uuid) || !HLC_RE.test(hlc)) {
    throw new DaosError('INVAL', `"${text}" is no transaction id: give UUID.HLC, the HLC in hexadecimal`);
  }
  return { uuid: uuid.toLowerCase(), hlc: BigInt(/^0x/i.test(hlc) ? hlc : `0x${hlc}`) };
}

export function dtxIdEquals(a: DtxId, b: DtxId): boolean {
  return a.hlc === b.hlc && a.uuid === b.uuid;
}

/** Words of an id: uuid (4), hlc (2). */
export const DTX_ID_WORDS = 6;

/** Writes an id as words, for tables that hold many. */
export function dtxIdToWords(uuid: Uint8Array, hlc: Epoch, into: Uint32Array, view: DataView): void {
  for (let i = 0; i < 4; i++) {
    const at = 4 * i;
    into[i] =
      ((uuid[at] as number) << 24) |
      ((uuid[at + 1] as number) << 16) |
      ((uuid[at + 2] as number) << 8) |
      (uuid[at + 3] as number);
  }
  view.setBigUint64(0, hlc);
  into[4] = view.getUint32(0);
  into[5] = view.getUint32(4);
}

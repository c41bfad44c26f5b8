import { Checksummer, ChecksumType, IodType, ObjectType, iodChecksums, objectIdEncode, uuidGenerate, type Iod, type Recx } from '@daos/common';
import { seededRandom } from '@daos/gurt';
import type { VosFetchedIod, VosPiece } from '@daos/vos';

import { allPresent, chunkParts } from '../src/chunks.js';
import { extentsOfPieces, fetchChecksums } from '../src/ds/fetch_checksums.js';
import { fetchedIodReply } from '../src/ds/fetch_reply.js';
import { MemoryContainer } from './fake/memory_container.js';

const TYPE = ChecksumType.CRC32;
const LENGTH = 4;
const AKEY = Buffer.from('a');
const DKEY = Buffer.from('d');
const UNIT = { oid: objectIdEncode({ hi: 0n, lo: 1n }, ObjectType.MULTI_HASHED, 1, 1), shard: 0, layoutVersion: 1 };
const FLAVOURS = { dkey: 'hashed', akey: 'hashed' } as const;

/** An extent from a record on: its text, or how many records are punched. */
type Write = readonly [at: number, textOrHole: string | number];
/** First and last record. */
type Range = readonly [number, number];

interface Case {
  readonly name: string;
  /** Default 4. */
  readonly chunkBytes?: number;
  /** Default 1. */
  readonly recordSize?: number;
  /** In the order of their epochs. */
  readonly stored: readonly Write[];
  readonly request: readonly Range[];
  /** Per chunk with data: S the stored checksum, N a new one. */
  readonly kinds: string;
  /** Texts of the stored chunks that are verified. */
  readonly verified: readonly string[];
}

const CASES: readonly Case[] = [
  { name: 'a chunk that the request cuts', chunkBytes: 8, stored: [[0, 'ZYXWVUTS']], request: [[0, 3]], kinds: 'N', verified: ['ZYXWVUTS'] },
  { name: 'a request cut at both ends: only these chunks are verified', stored: [[0, 'ABCDEFGHIJKLMNOP']], request: [[2, 13]], kinds: 'NSSN', verified: ['ABCD', 'MNOP'] },
  { name: 'two extents side by side, each a chunk', stored: [[0, 'ABCD'], [4, 'EFGH']], request: [[0, 7]], kinds: 'SS', verified: [] },
  { name: 'a chunk put together from the ends of two extents', chunkBytes: 3, stored: [[0, 'ABCD'], [4, 'EFGHI']], request: [[0, 8]], kinds: 'SNS', verified: ['D', 'EF'] },
  { name: 'a request beyond the end of the extent', stored: [[0, 'ABCDEF']], request: [[0, 7]], kinds: 'SS', verified: [] },
  { name: 'a chunk of two extents with a hole between', chunkBytes: 8, stored: [[0, 'ABC'], [6, 'GH']], request: [[0, 7]], kinds: 'N', verified: ['ABC', 'GH'] },
  { name: 'a hole that ends at a chunk border', chunkBytes: 3, stored: [[0, 'ABCD'], [6, 'GHI']], request: [[0, 8]], kinds: 'SSS', verified: [] },
  { name: 'an extent shorter than a chunk', stored: [[0, 'AB']], request: [[0, 1]], kinds: 'S', verified: [] },
  { name: 'an unaligned extent that is fetched whole', stored: [[2, 'CDEFGHIJ']], request: [[2, 9]], kinds: 'SSS', verified: [] },
  { name: 'extents that were written in falling order', stored: [[4, 'EFGH'], [0, 'ABCD']], request: [[0, 7]], kinds: 'SS', verified: [] },
  { name: 'an extent that overlaps an older one', chunkBytes: 2, stored: [[0, '12'], [1, 'ABC']], request: [[0, 3]], kinds: 'NS', verified: ['12', 'A'] },
  { name: 'a request that does not touch the last chunk of an extent', stored: [[0, 'ABCDEFGHIJ']], request: [[1, 5]], kinds: 'NN', verified: ['ABCD', 'EFGH'] },
  { name: 'a first chunk that is unaligned but comes from one extent', stored: [[1, 'BCDEFGH']], request: [[1, 7]], kinds: 'SS', verified: [] },
  { name: 'six extents of one record', chunkBytes: 3, stored: [[0, 'A'], [1, 'B'], [2, 'C'], [3, 'D'], [4, 'E'], [5, 'F']], request: [[0, 5]], kinds: 'NN', verified: ['A', 'B', 'C', 'D', 'E', 'F'] },
  { name: 'a request that starts with a hole of some records', stored: [[2, 'CDEFGH']], request: [[0, 7]], kinds: 'SS', verified: [] },
  { name: 'a request that starts with a hole of a chunk', stored: [[4, 'EFGH']], request: [[0, 7]], kinds: 'S', verified: [] },
  { name: 'several holes in one chunk', chunkBytes: 8, stored: [[0, 'A'], [2, 'C'], [4, 'E']], request: [[0, 7]], kinds: 'N', verified: ['A', 'C', 'E'] },
  { name: 'a hole of a chunk, then a chunk that starts with a hole', stored: [[0, 'ABCD'], [10, 'KL']], request: [[0, 11]], kinds: 'SS', verified: [] },
  { name: 'a mixed chunk whose hole goes on in the next chunk', stored: [[0, 'A'], [2, 'C'], [6, 'GH']], request: [[0, 7]], kinds: 'NS', verified: ['A', 'C'] },
  { name: 'a hole of a chunk, then a chunk that the request cuts', stored: [[4, 'EFGH']], request: [[0, 5]], kinds: 'N', verified: ['EFGH'] },
  { name: 'an extent split by a punch', chunkBytes: 2, stored: [[0, 'ABCDEFGHIJ'], [3, 4]], request: [[0, 9]], kinds: 'SNNS', verified: ['CD', 'GH'] },
  { name: 'an extent split by a punch at chunk borders', chunkBytes: 2, stored: [[0, 'ABCDEFGH'], [2, 4]], request: [[0, 7]], kinds: 'SS', verified: [] },
  { name: 'an extent whose middle was written again', stored: [[0, 'ABCDEFGHIJKL'], [5, 'fg']], request: [[0, 11]], kinds: 'SNS', verified: ['EFGH', 'fg'] },
  { name: 'the same extent twice in one chunk, around a newer one', stored: [[0, 'ABCD'], [1, 'bc']], request: [[0, 3]], kinds: 'N', verified: ['ABCD', 'bc'] },
  { name: 'records of two bytes', recordSize: 2, stored: [[0, 'AaBbCcDd']], request: [[0, 3]], kinds: 'SS', verified: [] },
  { name: 'records of two bytes, cut', recordSize: 2, stored: [[0, 'AaBbCcDd']], request: [[1, 2]], kinds: 'NN', verified: ['AaBb', 'CcDd'] },
  { name: 'records that do not fill the chunk', recordSize: 3, chunkBytes: 8, stored: [[1, 'BBBCCCDDD']], request: [[1, 2]], kinds: 'SN', verified: ['CCCDDD'] },
  { name: 'records larger than the chunk', recordSize: 8, stored: [[0, 'AAAAAAAABBBBBBBB']], request: [[1, 1]], kinds: 'S', verified: [] },
  { name: 'several extents of one request', stored: [[0, 'ABCDEFGH']], request: [[4, 7], [0, 1]], kinds: 'SN', verified: ['ABCD'] },
  { name: 'requested extents that meet in a chunk', stored: [[0, 'ABCD']], request: [[0, 1], [2, 3]], kinds: 'NN', verified: ['ABCD'] },
  { name: 'requested extents that overlap', stored: [[0, 'AB'], [4, 'EFGH']], request: [[0, 7], [4, 7]], kinds: 'SSS', verified: [] },
];

/** A container with one array, and what a fetch of it answers. */
class Stored {
  readonly container = new MemoryContainer(uuidGenerate());
  readonly checksummer: Checksummer;
  private epoch = 0n;

  constructor(chunkBytes: number, private readonly recordSize: number) {
    this.checksummer = new Checksummer(TYPE, chunkBytes);
  }

  async write([at, textOrHole]: Write, withChecksums = true): Promise<void> {
    const isHole = typeof textOrHole === 'number';
    const value = Buffer.from(isHole ? '' : textOrHole);
    const nr = isHole ? textOrHole : value.length / this.recordSize;
    const iod = { akey: AKEY, type: IodType.ARRAY, size: isHole ? 0 : this.recordSize, recxs: [{ idx: BigInt(at), nr: BigInt(nr) }] };
    const checksums = withChecksums ? iodChecksums(TYPE, this.checksummer.chunkBytes, iod, value) : undefined;
    await this.container.update({
      oid: UNIT, flavours: FLAVOURS, epoch: ++this.epoch, flags: 0, dkey: DKEY, iods: [iod], values: [value], checksums: [checksums],
    });
  }

  fetch(recxs: readonly Recx[]): VosFetchedIod {
    const iod = { akey: AKEY, type: IodType.ARRAY, size: this.recordSize, recxs };
    const [found] = this.container.fetch({ oid: UNIT, flavours: FLAVOURS, epoch: this.epoch, flags: 0, dkey: DKEY, iods: [iod] });
    if (!found) throw new Error('nothing was found');
    // MemoryContainer takes the record size from its oldest extent, which may be a hole
    return { ...found, size: this.recordSize };
  }

  checksums(recxs: readonly Recx[]): Buffer[] {
    const { pieces } = this.fetch(recxs);
    const bytes = fetchChecksums(this.checksummer, this.recordSize, recxs, pieces, extentsOfPieces(recxs, pieces));
    return cut(bytes);
  }

  /** Extents as they are stored, oldest first. */
  extents() {
    const [shard] = this.container.shards.values();
    return shard?.dkeys.get(DKEY.toString('hex'))?.get(AKEY.toString('hex'))?.extents ?? [];
  }

  /** Every stored chunk: its text and where its checksum stands. */
  chunks(): { text: string; bytes: Uint8Array; at: number }[] {
    const records = this.checksummer.chunkRecords(this.recordSize);
    return this.extents().flatMap(({ recx, data, checksums }) => {
      if (!checksums) return [];
      const parts = chunkParts([recx], allPresent([recx]), records);
      return parts.map(({ offset, count }, i) => ({
        text: Buffer.from(data.subarray(offset * this.recordSize, (offset + count) * this.recordSize)).toString(),
        bytes: checksums.bytes, at: i * LENGTH,
      }));
    });
  }
}

function cut(bytes: Uint8Array): Buffer[] {
  return Array.from({ length: bytes.length / LENGTH }, (_, i) => Buffer.from(bytes.subarray(i * LENGTH, (i + 1) * LENGTH)));
}

function recxsOf(request: readonly Range[]): Recx[] {
  return request.map(([lo, hi]) => ({ idx: BigInt(lo), nr: BigInt(hi - lo + 1) }));
}

async function storedOf({ chunkBytes = 4, recordSize = 1, stored }: Pick<Case, 'chunkBytes' | 'recordSize' | 'stored'>): Promise<Stored> {
  const all = new Stored(chunkBytes, recordSize);
  for (const write of stored) await all.write(write);
  return all;
}

/**
 * Damages one stored checksum at a time. Where that is refused, the chunk was verified; where it shows in the answer,
 * the checksum was passed on.
 */
function observe(stored: Stored, recxs: readonly Recx[]): { kinds: string; verified: string[] } {
  const clean = stored.checksums(recxs);
  const kinds = clean.map(() => 'N');
  const verified: string[] = [];
  for (const { text, bytes, at } of stored.chunks()) {
    bytes[at] = (bytes[at] as number) ^ 1;
    try {
      stored.checksums(recxs).forEach((checksum, i) => {
        if (!checksum.equals(clean[i] as Buffer)) kinds[i] = 'S';
      });
    } catch (error) {
      expect(String(error)).toContain('DER_CSUM');
      verified.push(text);
    }
    bytes[at] = (bytes[at] as number) ^ 1;
  }
  return { kinds: kinds.join(''), verified };
}

/** What a client does with a reply: true when every chunk matches. */
function clientAccepts(stored: Stored, iod: Iod, found: VosFetchedIod): boolean {
  const data: Uint8Array[] = [];
  const reply = fetchedIodReply(iod, found, stored.checksummer, data);
  const bytes = Buffer.concat(data);
  const parts = chunkParts(iod.recxs, reply.present ?? allPresent(iod.recxs), stored.checksummer.chunkRecords(found.size));
  let from = 0;
  let to = 0;
  let index = 0;
  const isRight = parts.every((part, i) => {
    to += part.count * found.size;
    const next = parts[i + 1];
    if (next?.extent === part.extent && next.chunk === part.chunk) return true;
    const matches = stored.checksummer.matches(bytes, reply.checksums ?? Buffer.alloc(0), index++ * LENGTH, from, to);
    from = to;
    return matches;
  });
  return isRight && to === bytes.length && index * LENGTH === (reply.checksums?.length ?? 0);
}

describe('checksums of a fetch', () => {
  it.each(CASES)('are copied where a chunk is returned as stored, else new and their sources verified: $name', async (c) => {
    const stored = await storedOf(c);
    const recxs = recxsOf(c.request);
    expect(observe(stored, recxs)).toEqual({ kinds: c.kinds, verified: c.verified });
    const iod = { akey: AKEY, type: IodType.ARRAY, size: c.recordSize ?? 1, recxs };
    expect(clientAccepts(stored, iod, stored.fetch(recxs))).toBe(true);
  });

  it('use of a piece that is longer than the requested extent only what the extent needs', async () => {
    const stored = await storedOf({ stored: [[0, 'ABCDEFGHIJKL']] });
    const { pieces } = stored.fetch(recxsOf([[0, 11]]));
    const checksums = fetchChecksums(stored.checksummer, 1, recxsOf([[2, 9]]), pieces, [0]);
    expect(Buffer.concat(stored.checksums(recxsOf([[2, 9]]))).equals(checksums)).toBe(true);
    expect(checksums.length).toBe(3 * LENGTH);
  });

  it('are refused with DER_CSUM when a chunk that needs a new one does not match its stored one', async () => {
    const stored = await storedOf({ stored: [[0, 'ABCDEFGH']] });
    const [extent] = stored.extents();
    if (extent) extent.data[1] = 0;
    expect(() => stored.checksums(recxsOf([[2, 5]]))).toThrow(/DER_CSUM.*chunk at record 0/);
    expect(stored.checksums(recxsOf([[4, 5]]))).toHaveLength(1);
    expect(stored.checksums(recxsOf([[0, 7]]))).toHaveLength(2);
  });

  it('are refused with DER_CSUM when a piece has no valid stored ones beside pieces that have', async () => {
    const stored = await storedOf({ stored: [[0, 'ABCD']] });
    await stored.write([4, 'EFGH'], false);
    expect(() => stored.checksums(recxsOf([[0, 7]]))).toThrow(/DER_CSUM.*record 4 was stored without/);
    const { pieces } = stored.fetch(recxsOf([[0, 3]]));
    const spoiled = (change: Partial<NonNullable<VosPiece['stored']>['checksums']>) => pieces.map((piece): VosPiece => (
      piece.stored ? { ...piece, stored: { ...piece.stored, checksums: { ...piece.stored.checksums, ...change } } } : piece));
    const compute = (list: readonly VosPiece[]) => fetchChecksums(stored.checksummer, 1, recxsOf([[0, 3]]), list, [0]);
    expect(compute(pieces)).toHaveLength(LENGTH);
    expect(() => compute(spoiled({ type: ChecksumType.ADLER32 }))).toThrow(/DER_CSUM.*container's type/);
    expect(() => compute(spoiled({ chunkBytes: 8 }))).toThrow('DER_CSUM');
    expect(() => compute(spoiled({ bytes: new Uint8Array(2 * LENGTH) }))).toThrow('DER_CSUM');
  });

  it('are all new when nothing was stored with checksums', async () => {
    const stored = new Stored(4, 1);
    await stored.write([2, 'CDEF'], false);
    const recxs = recxsOf([[0, 7]]);
    expect(stored.checksums(recxs)).toHaveLength(2);
    expect(clientAccepts(stored, { akey: AKEY, type: IodType.ARRAY, size: 1, recxs }, stored.fetch(recxs))).toBe(true);
  });

  it('notice any stored byte that changed and is returned, at the target or at the client', async () => {
    const seed = Number(process.env['CSUM_SEED'] ?? Date.now() % 1_000_000);
    const random = seededRandom(seed);
    const between = (lo: number, hi: number) => lo + random.below(hi - lo + 1);
    for (let round = 0; round < 150; round++) {
      const recordSize = between(1, 3);
      const stored = new Stored(between(1, 12), recordSize);
      for (let i = between(1, 8); i > 0; i--) {
        const at = between(0, 30);
        const nr = between(1, 14);
        const text = Array.from({ length: nr * recordSize }, () => String.fromCharCode(between(65, 90))).join('');
        await stored.write([at, random.below(5) === 0 ? nr : text]);
      }
      const lo = between(0, 30);
      const middle = between(lo, 40);
      const recxs = recxsOf(random.below(2) === 0 ? [[lo, middle]] : [[lo, middle], [middle + 1, middle + between(1, 8)]]);
      const iod = { akey: AKEY, type: IodType.ARRAY, size: recordSize, recxs };
      const context = `seed ${seed} round ${round}`;
      const found = stored.fetch(recxs);
      if (found.pieces.length === 0) continue;
      expect([context, clientAccepts(stored, iod, found)]).toEqual([context, true]);
      const piece = found.pieces[random.below(found.pieces.length)] as VosPiece;
      const byte = random.below(piece.data.length);
      piece.data[byte] = (piece.data[byte] as number) ^ (1 << random.below(8));
      let noticed: boolean;
      try {
        noticed = !clientAccepts(stored, iod, stored.fetch(recxs));
      } catch (error) {
        noticed = String(error).includes('DER_CSUM');
      }
      expect([context, noticed]).toEqual([context, true]);
    }
  });
});

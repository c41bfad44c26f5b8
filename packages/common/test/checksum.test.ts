import {
  checksumAlgorithm,
  checksumAlgorithmByName,
  checksumChunkCount,
  checksumChunkRecords,
  iodChecksums,
  iodChecksumsVerify,
  IodType,
  keyChecksum,
  recxChecksums,
  recxChecksumsVerify,
} from '../src/index.js';
import { fixture, hex, pattern } from './fixture.js';

interface DigestCase {
  fn: string;
  algorithm: string;
  hashType: number;
  digestLen: number;
  len: number;
  bytesHex?: string;
  digestHex: string;
}

interface ExtentCase {
  fn: string;
  algorithm: string;
  chunkBytes: number;
  recordBytes: number;
  recordIndex: number;
  records: number;
  effectiveChunkBytes: number;
  csumHex: string[];
  akey: string;
  akeyCsumHex: string;
}

describe('checksums', () => {
  it('of every type give the recorded digests', () => {
    for (const c of fixture<DigestCase>('checksums').filter((row) => row.fn === 'digest')) {
      const algorithm = checksumAlgorithmByName(c.algorithm);
      expect(algorithm).toMatchObject({ type: c.hashType, length: c.digestLen });
      const out = new Uint8Array(c.digestLen);
      algorithm?.digest(c.bytesHex === undefined ? pattern(c.len) : hex(c.bytesHex), out, 0);
      expect([c.algorithm, c.len, Buffer.from(out).toString('hex')]).toEqual([c.algorithm, c.len, c.digestHex]);
    }
  });

  it('of extents are aligned to absolute chunks, clipped at the ends', () => {
    for (const c of fixture<ExtentCase>('checksums').filter((row) => row.fn === 'extent')) {
      const type = checksumAlgorithmByName(c.algorithm)?.type ?? 0;
      const recx = { idx: BigInt(c.recordIndex), nr: BigInt(c.records) };
      const data = pattern(c.records * c.recordBytes);
      const found = recxChecksums(type, c.chunkBytes, c.recordBytes, recx, data);
      expect(Buffer.from(found?.bytes ?? []).toString('hex')).toBe(c.csumHex.join(''));
      expect(checksumChunkRecords(c.chunkBytes, c.recordBytes) * c.recordBytes).toBe(c.effectiveChunkBytes);
      expect(Buffer.from(keyChecksum(type, Buffer.from(c.akey))).toString('hex')).toBe(c.akeyCsumHex);
    }
  });

  it('are counted per chunk, also near the end of the index space', () => {
    expect(checksumChunkCount({ idx: 1n, nr: 6n }, 4)).toBe(2);
    expect(checksumChunkCount({ idx: 3n, nr: 1n }, 4)).toBe(1);
    expect(checksumChunkCount({ idx: (1n << 62n) + 3n, nr: 2n }, 4)).toBe(2);
    expect(checksumChunkCount({ idx: 0n, nr: 0n }, 4)).toBe(0);
  });

  it('verify what they were computed over and refuse anything else with DER_CSUM', () => {
    const value = pattern(100_000);
    const iod = {
      akey: Buffer.from('a'),
      type: IodType.ARRAY,
      size: 1,
      recxs: [
        { idx: 30_000n, nr: 60_000n },
        { idx: 200_001n, nr: 40_000n },
      ],
    };
    for (let type = 1; type <= 7; type++) {
      const found = iodChecksums(type, 32768, iod, value);
      if (!found) throw new Error('no checksums');
      expect(found.bytes.length).toBe((checksumAlgorithm(type)?.length ?? 0) * 5);
      iodChecksumsVerify(iod, value, found);
      const damaged = Buffer.from(value);
      damaged[77_777] = (damaged[77_777] ?? 0) ^ 1;
      expect(() => iodChecksumsVerify(iod, damaged, found, 'dkey d')).toThrow(/DER_CSUM.*dkey d/);
      expect(() => iodChecksumsVerify(iod, value, { ...found, bytes: found.bytes.subarray(4) })).toThrow('DER_CSUM');
      expect(() => iodChecksumsVerify(iod, value, { ...found, type: (type % 7) + 1 })).toThrow('DER_CSUM');
    }
    expect(() => recxChecksumsVerify({ idx: 0n, nr: 4n }, 1, pattern(4), { type: 99, chunkBytes: 1, length: 4, bytes: new Uint8Array(4) })).toThrow('DER_CSUM');
  });

  it('cover a single value as a whole, and nothing of a punch', () => {
    const iod = { akey: Buffer.from('a'), type: IodType.SINGLE, size: 5, recxs: [] };
    const found = iodChecksums(2, 4, iod, Buffer.from('hello'));
    expect(found?.bytes.length).toBe(4);
    expect(iodChecksums(2, 4, { ...iod, size: 0 }, Buffer.alloc(0))).toBeUndefined();
    expect(iodChecksums(0, 4, iod, Buffer.from('hello'))).toBeUndefined();
    expect(() => iodChecksums(9, 4, iod, Buffer.from('hello'))).toThrow('DER_INVAL');
  });
});

// Checksums of data.
import {
  checksumAlgorithmByName,
  checksumChunkRecords,
  keyChecksum,
  recxChecksums,
} from '../../packages/common/dist/src/index.js';
import { byKind, hex, input, pattern } from './lib.mjs';

export const families = {
  checksums: byKind({
    digest: (row) => {
      const algorithm = known(row.algorithm);
      const out = new Uint8Array(algorithm.length);
      algorithm.digest(input(row), out, 0);
      return {
        want: [row.hashType, row.digestLen, row.digestHex],
        got: [algorithm.type, algorithm.length, hex(out)],
      };
    },
    extent: (row) => {
      const { type } = known(row.algorithm);
      const recx = { idx: BigInt(row.recordIndex), nr: BigInt(row.records) };
      const found = recxChecksums(type, row.chunkBytes, row.recordBytes, recx, pattern(row.records * row.recordBytes));
      const length = known(row.algorithm).length;
      const checksums = [];
      for (let at = 0; at < found.bytes.length; at += length) checksums.push(hex(found.bytes.subarray(at, at + length)));
      return {
        want: [row.effectiveChunkBytes, row.csumCount, row.csumHex, row.akeyCsumHex],
        got: [
          checksumChunkRecords(row.chunkBytes, row.recordBytes) * row.recordBytes,
          checksums.length,
          checksums,
          hex(keyChecksum(type, Buffer.from(row.akey))),
        ],
      };
    },
  }),
};

function known(name) {
  const algorithm = checksumAlgorithmByName(name);
  if (!algorithm) throw new Error(`no checksum algorithm ${name}`);
  return algorithm;
}

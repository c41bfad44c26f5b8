import { checksumAlgorithm, setDigestKernel, type ChecksumAlgorithm } from '@daos/common';
import { seededRandom } from '@daos/gurt';
import { digestUpdate } from '@daos/native';

import '../src/checksum.js';

const ALL = Array.from({ length: 7 }, (_, i) => checksumAlgorithm(i + 1) as ChecksumAlgorithm);

function digests({ length, digest, start }: ChecksumAlgorithm, data: Uint8Array, cuts: readonly number[]): string[] {
  const [whole, pieces] = [Buffer.alloc(length), Buffer.alloc(length)];
  digest(data, whole, 0);
  const state = start();
  let from = 0;
  for (const to of [...cuts, data.length]) {
    state.update(data, from, to);
    from = to;
  }
  state.finish(pieces, 0);
  return [whole.toString('hex'), pieces.toString('hex')];
}

describe.each(ALL)('$name', (algorithm) => {
  afterEach(() => { setDigestKernel(digestUpdate); });

  it('is the same with the addon as without it, for any length, however it is cut', () => {
    const seed = Date.now() % 1_000_000;
    const random = seededRandom(seed);
    for (const length of [1, 511, 512, 513, 1023, 1024, 1025, 2047, 4096, 5552, 33_000, ...Array.from({ length: 10 }, () => random.below(20_000))]) {
      const data = random.bytes(length + 1).subarray(1);
      const cuts = Array.from({ length: random.below(4) }, () => random.below(length + 1)).sort((a, b) => a - b);
      setDigestKernel(digestUpdate);
      const native = digests(algorithm, data, cuts);
      setDigestKernel(undefined);
      const plain = digests(algorithm, data, cuts);
      expect([seed, length, cuts, ...native]).toEqual([seed, length, cuts, ...plain]);
      expect(native[0]).toBe(native[1]);
    }
  });
});

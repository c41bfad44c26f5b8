import { DATA_THRESHOLD_BYTES_DEFAULT, Media, mediaSelect } from '../src/index.js';

const POOL = { hasDataFile: true, thresholdBytes: DATA_THRESHOLD_BYTES_DEFAULT };

describe('media selection', () => {
  it.each([
    ['a pool without a data file keeps everything beside the index', { ...POOL, hasDataFile: false, bytes: 1 << 20 }, Media.SCM],
    ['a threshold of 0 keeps everything beside the index', { ...POOL, thresholdBytes: 0, bytes: 1 << 20 }, Media.SCM],
    ['one byte below the threshold', { ...POOL, bytes: 4095 }, Media.SCM],
    ['exactly the threshold', { ...POOL, bytes: 4096 }, Media.NVME],
    ['an empty value', { ...POOL, bytes: 0 }, Media.SCM],
    ['an extent counts record size times records', { ...POOL, bytes: 8 * 512 }, Media.NVME],
    ['a pool with another threshold', { ...POOL, thresholdBytes: 65_536, bytes: 65_535 }, Media.SCM],
  ])('%s', (_name, choice, media) => {
    expect(mediaSelect(choice)).toBe(media);
  });
});

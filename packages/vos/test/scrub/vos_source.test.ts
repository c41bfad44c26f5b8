import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ChecksumType, iodChecksums, type Iod } from '@daos/common';

import { vosScrubSource, type VosContainer } from '../../src/index.js';
import { ScrubMode, Scrubber, type ScrubValue } from '../../src/scrub/index.js';
import { HASHED, MIB, TestPool, array, bytes, single, unitOid } from '../fixture.js';
import { FakeTime } from './fake_source.js';

let test: TestPool;

beforeEach(async () => {
  test = await TestPool.create({ scmBytes: 16 * MIB, nvmeBytes: 16 * MIB });
});
afterEach(() => test.destroy());

async function write(container: VosContainer, epoch: bigint, iod: Iod, value: Uint8Array): Promise<void> {
  const checksums = [iodChecksums(ChecksumType.CRC64, 1024, iod, value)];
  await container.update({ oid: unitOid(1), flavours: HASHED, epoch, flags: 0, dkey: bytes('d'), iods: [iod], values: [value], checksums });
}

describe('a pool under the scrubber', () => {
  it('has all its values read, covered ones too; damaged data in the file is found, marked, and read as DER_CSUM', async () => {
    const container = await test.newContainer();
    const { uuid } = container;
    const good = Buffer.alloc(8000, 'g');
    const bad = Buffer.from('this value will be damaged'.repeat(300));
    await write(container, 1n, single(bytes('covered'), good.length), good);
    await write(container, 2n, single(bytes('covered'), 5), bytes('newer'));
    await write(container, 3n, single(bytes('bad'), bad.length), bad);
    await write(container, 4n, array(bytes('extents'), 1, [0, good.length]), good);
    container.close();
    await test.pool.close();
    const path = join(test.dir, 'data');
    const data = await readFile(path);
    const at = data.indexOf('this value will be damaged');
    expect(at).toBeGreaterThan(0);
    data[at + 5] = 0;
    await writeFile(path, data);
    const pool = await test.open();

    const found: ScrubValue[] = [];
    const source = vosScrubSource(pool, {
      settings: () => ({ mode: ScrubMode.TIMED, freqSeconds: 1000, threshold: 0 }),
      isStopping: () => false,
      isIdle: () => true,
      isLoaded: () => true,
      corruptionDetected: (_, value) => void found.push(value),
      drain: () => Promise.reject(new Error('below the threshold')),
      checksumType: () => ChecksumType.CRC64,
      isContainerStopping: () => false,
    });
    const time = new FakeTime();
    const scrubber = new Scrubber({ source, clock: time, sleep: time.sleep });
    await scrubber.run();
    expect(found.map(({ where }) => Buffer.from(where.akey).toString())).toEqual(['bad']);
    expect(scrubber.statistics.bytes.total).toBe(8000 + 5 + bad.length + 8000);
    const again = pool.containerOpen(uuid);
    const fetch = (akey: string) => again.fetch({ oid: unitOid(1), flavours: HASHED, epoch: 9n, flags: 0, dkey: bytes('d'), iods: [single(bytes(akey), 0)] });
    expect(() => fetch('bad')).toThrow(expect.objectContaining({ der: 'CSUM' }));
    expect((await fetch('covered'))[0]?.size).toBe(5);
    again.close();
    await pool.containerDestroy(uuid);
  });
});

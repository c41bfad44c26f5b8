import { DaosError } from '@daos/common';
import { seededRandom } from '@daos/gurt';

import { BioDevice, BioFile, BufferPool, DeviceRole, IoDescriptor, Media, type BioRegion, type DeviceEvent, type ScmMedia } from '../src/index.js';
import { FaultyIo, MemoryIo } from '../src/testing/index.js';

const UUID = '11111111-2222-3333-4444-555555555555';

class Memory implements ScmMedia {
  readonly bytes = new Uint8Array(65_536);
  readonly persisted: number[][] = [];
  view(offset: number, bytes: number): Uint8Array {
    return this.bytes.subarray(offset, offset + bytes);
  }
  persist(offset: number, bytes: number): void {
    this.persisted.push([offset, bytes]);
  }
}

const onNvme = (offset: number, bytes: number): BioRegion => ({ address: { media: Media.NVME, offset }, bytes });
const onScm = (offset: number, bytes: number): BioRegion => ({ address: { media: Media.SCM, offset }, bytes });
const hole = (bytes: number): BioRegion => ({ address: { media: Media.SCM, offset: 0, hole: true }, bytes });

let io: FaultyIo;
let device: BioDevice;
let events: DeviceEvent[];
let file: BioFile;
let scm: Memory;
let pool: BufferPool;

beforeEach(async () => {
  io = new FaultyIo(new MemoryIo());
  events = [];
  device = new BioDevice({ uuid: UUID, roles: DeviceRole.DATA, listener: (event) => events.push(event) });
  file = await BioFile.createOn(io, 1 << 20, { device });
  scm = new Memory();
  pool = new BufferPool(8 << 20);
});

function iod(type: 'UPDATE' | 'FETCH' | 'GETBUF', ...sgls: BioRegion[][]): IoDescriptor {
  return new IoDescriptor(type, { file, scm, pool }, sgls);
}

async function derOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof DaosError) return error.der;
    throw error;
  }
  return 'none';
}

describe('the way of an update', () => {
  it('copies user buffers to both media, persists SCM at copy and writes NVMe at post', async () => {
    const update = iod('UPDATE', [onScm(100, 10), onNvme(8192, 5000)], [onNvme(0, 3)]);
    await update.prep();
    const data = seededRandom(1).bytes(5010);
    expect(update.copy([[data.subarray(0, 7), data.subarray(7)], [Buffer.from('abc')]])).toEqual([5010, 3]);
    expect(scm.persisted).toEqual([[100, 10]]);
    expect(io.calls.write).toBe(1);
    await update.post();
    update.free();
    expect(scm.bytes.subarray(100, 110)).toEqual(new Uint8Array(data.subarray(0, 10)));
    expect(Buffer.from(await file.read(8192, 5000))).toEqual(data.subarray(10));
    expect(Buffer.from(await file.read(0, 3)).toString()).toBe('abc');
    expect(pool.statistics.lentBytes).toBe(0);
  });

  it('takes what a transport put into its memory, and persists SCM at post then', async () => {
    const update = iod('UPDATE', [onScm(0, 4), onNvme(0, 4)]);
    await update.prep();
    update.buffer(0, 0)?.set(Buffer.from('fast'));
    update.buffer(0, 1)?.set(Buffer.from('slow'));
    await update.post();
    expect([Buffer.from(scm.bytes.subarray(0, 4)).toString(), scm.persisted]).toEqual(['fast', [[0, 4]]]);
    expect(Buffer.from(await file.read(0, 4)).toString()).toBe('slow');
  });

  it('writes nothing and gives the error back when the caller failed', async () => {
    const update = iod('UPDATE', [onNvme(0, 4096)]);
    await update.prep();
    update.copy([[Buffer.alloc(4096, 1)]]);
    const calls = io.calls.write;
    expect(await derOf(() => update.post(new DaosError('TIMEDOUT')))).toBe('TIMEDOUT');
    expect(io.calls.write).toBe(calls);
    expect(Buffer.from(await file.read(0, 4096))).toEqual(Buffer.alloc(4096));
    expect(pool.statistics.lentBytes).toBe(0);
  });
});

describe('the way of a fetch', () => {
  it('reads NVMe at prep and passes holes without touching the user', async () => {
    await file.write(4096, [Buffer.from('nvme')]);
    scm.bytes.set(Buffer.from('scm.'), 8);
    const fetch = iod('FETCH', [onNvme(4096, 4), hole(3), onScm(8, 4)]);
    await fetch.prep();
    expect(io.calls.read).toBe(1);
    expect(fetch.buffer(0, 1)).toBeUndefined();
    const user = [Buffer.alloc(6, '-'), Buffer.alloc(9, '-')];
    expect(fetch.copy([user])).toEqual([11]);
    expect(Buffer.concat(user).toString()).toBe('nvme---scm.----');
    await fetch.post();
    expect(pool.statistics.lentBytes).toBe(0);
  });

  it('answers DER_REC2BIG to a user list that is too small, DER_INVAL to a missing or empty buffer', async () => {
    const fetch = iod('FETCH', [onScm(0, 10)]);
    await fetch.prep();
    expect(await derOf(() => fetch.copy([[Buffer.alloc(9)]]))).toBe('REC2BIG');
    expect(await derOf(() => fetch.copy([[]]))).toBe('REC2BIG');
    expect(await derOf(() => fetch.copy([[Buffer.alloc(5), null]]))).toBe('INVAL');
    expect(await derOf(() => fetch.copy([[Buffer.alloc(0)]]))).toBe('INVAL');
    expect(await derOf(() => fetch.copy([]))).toBe('INVAL');
    expect(fetch.copy([[Buffer.alloc(10)]])).toEqual([10]);
  });

  it('gives back what random data was put, whatever the pieces', async () => {
    const random = seededRandom(20_241);
    for (let round = 0; round < 50; round++) {
      const regions = Array.from({ length: 1 + random.below(6) }, (_, i) =>
        random.below(2) === 0 ? onScm(i * 5000, 1 + random.below(5000)) : onNvme(i * 8192, 1 + random.below(8192)));
      const data = random.bytes(regions.reduce((sum, { bytes }) => sum + bytes, 0));
      const update = iod('UPDATE', regions);
      await update.prep();
      update.copy([cut(data, random.below)]);
      await update.post();
      const fetch = iod('FETCH', regions);
      await fetch.prep();
      const out = Buffer.alloc(data.length);
      fetch.copy([cut(out, random.below)]);
      await fetch.post();
      expect(Buffer.compare(out, data)).toBe(0);
    }
    expect(pool.statistics.lentBytes).toBe(0);
  });
});

function cut(data: Buffer, below: (bound: number) => number): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < data.length; ) {
    const end = Math.min(data.length, at + 1 + below(6000));
    parts.push(data.subarray(at, end));
    at = end;
  }
  return parts;
}

describe('the order of steps', () => {
  it('refuses a second prep, and copy, post or use of buffers without one', async () => {
    const update = iod('UPDATE', [onScm(0, 1)]);
    expect(await derOf(() => update.copy([[Buffer.alloc(1)]]))).toBe('INVAL');
    expect(await derOf(() => update.post())).toBe('INVAL');
    expect(await derOf(() => update.buffer(0, 0))).toBe('INVAL');
    await update.prep();
    expect(await derOf(() => update.prep())).toBe('INVAL');
    expect(await derOf(() => update.tryPrep())).toBe('INVAL');
    await update.post();
    expect(await derOf(() => update.post())).toBe('INVAL');
    expect(await derOf(() => update.prep())).toBe('INVAL');
  });

  it('refuses media that it has not, and a copy of a descriptor that only lends memory', async () => {
    expect(await derOf(() => new IoDescriptor('FETCH', { file }, [[onScm(0, 1)]]))).toBe('INVAL');
    expect(await derOf(() => new IoDescriptor('FETCH', { scm }, [[onNvme(0, 1)]]))).toBe('INVAL');
    const lent = iod('GETBUF', [onNvme(0, 10)]);
    await lent.prep();
    expect(lent.buffer(0, 0)?.length).toBe(10);
    expect(await derOf(() => lent.copy([[Buffer.alloc(10)]]))).toBe('INVAL');
    await lent.post();
    expect(io.calls).toMatchObject({ write: 1, read: 0 });
  });

  it('prepares without waiting or says so; never a fetch', async () => {
    const holder = iod('GETBUF', [onNvme(0, 8 << 20)]);
    holder.tryPrep();
    const update = iod('UPDATE', [onNvme(0, 1)]);
    expect(await derOf(() => update.tryPrep())).toBe('AGAIN');
    expect(await derOf(() => iod('FETCH', [onNvme(0, 1)]).tryPrep())).toBe('NOTSUPPORTED');
    holder.free();
    update.tryPrep();
    update.free();
    expect(pool.statistics.lentBytes).toBe(0);
  });

  it('waits its turn while others hold the memory, and fails when nobody could give enough back', async () => {
    const holder = iod('GETBUF', [onNvme(0, 8 << 20)]);
    await holder.prep();
    const update = iod('UPDATE', [onNvme(0, 1)]);
    let ready = false;
    const prepared = update.prep().then(() => (ready = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(ready).toBe(false);
    expect(await derOf(() => update.prep())).toBe('INVAL');
    await holder.post();
    await prepared;
    await update.post();
    expect(await derOf(() => iod('GETBUF', [onNvme(0, 9 << 20)]).prep())).toBe('NOMEM');
  });
});

describe('failing media', () => {
  it('reports one media error per descriptor, however many regions fail', async () => {
    io.inject({ step: 'read', effect: { kind: 'fail' } });
    const fetch = iod('FETCH', [onNvme(0, 10), onNvme(8192, 10), onNvme(65_536, 10)]);
    expect(await derOf(() => fetch.prep())).toBe('NVME_IO');
    expect(device.errorCounts).toEqual({ read: 1, write: 0, unmap: 0, checksum: 0 });
    io.inject({ step: 'write', effect: { kind: 'fail' } });
    const update = iod('UPDATE', [onNvme(0, 10), onNvme(8192, 10)]);
    await update.prep();
    update.copy([[Buffer.alloc(20)]]);
    expect(await derOf(() => update.post())).toBe('NVME_IO');
    expect(device.errorCounts).toEqual({ read: 1, write: 1, unmap: 0, checksum: 0 });
    expect(events.map(({ type }) => type)).toEqual(['mediaError', 'mediaError']);
    expect(pool.statistics.lentBytes).toBe(0);
  });

  it('answers DER_NVME_IO on a faulty device without touching it', async () => {
    const update = iod('UPDATE', [onNvme(0, 10)]);
    await update.prep();
    device.declareFaulty('test');
    const calls = { ...io.calls };
    expect(await derOf(() => update.post())).toBe('NVME_IO');
    expect(await derOf(() => iod('FETCH', [onNvme(0, 10)]).prep())).toBe('NVME_IO');
    expect(io.calls).toEqual(calls);
    expect(device.errorCounts).toEqual({ read: 0, write: 0, unmap: 0, checksum: 0 });
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DeviceRole, SmdDb, deviceFolderRead, smdDevGetByTgt } from '@daos/bio';
import { uuidGenerate } from '@daos/common';
import { startEngine, type RunningEngine } from '@daos/engine';
import { dsPoolTgtCreate } from '@daos/pool/ds';
import { ClusterEventReq } from '@daos/proto/shared/event';

import { deviceFolders } from '../src/ds/devices/engine_devices.js';

const MIB = 1024 * 1024;
const SMALL = 10;
const LARGE = 8192;
const ERRORS_MAX = 4;
const DEVICE_SET_FAULTY = 20;
const DEVICE_MEDIA_ERROR = 21;

it('devices serve 64 targets each', () => {
  expect(deviceFolders('/nvme', 1)).toEqual(['/nvme']);
  expect(deviceFolders('/nvme', 64)).toEqual(['/nvme']);
  expect(deviceFolders('/nvme', 128)).toEqual(['/nvme', '/nvme/device-1']);
});

describe('the device under the data files of an engine', () => {
  const dir = mkdtempSync(join(tmpdir(), 'daos-device-'));
  const [storageDir, dataDir] = [join(dir, 'scm'), join(dir, 'nvme')];
  const pool = uuidGenerate();
  const url = new URL('./device_module.js', import.meta.url).href;
  const events: number[] = [];
  let engine: RunningEngine;

  const start = (): Promise<RunningEngine> =>
    startEngine({
      modules: [
        { url, exportName: 'failingPoolModule' },
        { url, exportName: 'deviceProbe' },
      ],
      targetCount: 2,
      storageDir,
      dataDir,
      socketDir: dir,
      autoFaulty: { enable: true, ioErrorsMax: ERRORS_MAX, checksumErrorsMax: 100 },
      standalone: {
        rank: 0,
        server: async (_module, _method, body) => {
          events.push(ClusterEventReq.decode(body).event?.id ?? 0);
          return new Uint8Array(0);
        },
      },
    });
  const write = (target: number, bytes: number) => engine.xs.onTarget(target, 'probe.write', { pool, bytes });
  const read = (target: number, bytes: number) => engine.xs.onTarget(target, 'probe.read', { pool, bytes });

  beforeAll(async () => {
    engine = await start();
    await dsPoolTgtCreate(engine.xs, { poolUuid: pool, scmBytesPerTarget: 16 * MIB, nvmeBytesPerTarget: 16 * MIB });
  }, 30_000);
  afterAll(async () => {
    await engine.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('counts the I/O errors of all targets and becomes faulty when there are too many', async () => {
    for (const target of [0, 1]) for (const bytes of [SMALL, LARGE]) await write(target, bytes);
    await engine.xs.onTargets('probe.readsFail', true);
    for (let i = 0; i < ERRORS_MAX; i++) {
      await expect(read(i % 2, LARGE)).rejects.toMatchObject({ der: 'NVME_IO', detail: expect.not.stringMatching('FAULTY') });
    }
    await until(() => events.length === ERRORS_MAX);
    expect(new Set(events)).toEqual(new Set([DEVICE_MEDIA_ERROR]));
    await expect(read(0, LARGE)).rejects.toMatchObject({ der: 'NVME_IO' });
    await until(() => events.includes(DEVICE_SET_FAULTY));
    await engine.xs.onTargets('probe.readsFail', false);
  });

  const refusesDataAlone = async (): Promise<void> => {
    const faulty = { der: 'NVME_IO', detail: expect.stringMatching('is FAULTY') };
    for (const target of [0, 1]) {
      await until(() => read(target, LARGE).then(() => false, () => true));
      await expect(read(target, LARGE)).rejects.toMatchObject(faulty);
      await expect(write(target, LARGE)).rejects.toMatchObject(faulty);
      await expect(write(target, 8 * LARGE)).rejects.toMatchObject(faulty);
      await write(target, SMALL);
      expect(await read(target, SMALL)).toBe(SMALL);
    }
  };

  it('then refuses what needs it on every target; what lies in the index is served', refusesDataAlone);

  it('is faulty also after a restart', async () => {
    await engine.stop();
    const smd = await SmdDb.open(join(storageDir, 'smd.mdb'));
    expect(smdDevGetByTgt(smd, 1, DeviceRole.DATA)).toEqual({
      uuid: await deviceFolderRead(dataDir),
      state: 'FAULTY',
      targets: [0, 1],
    });
    await smd.close();
    engine = await start();
    await refusesDataAlone();
    await expect(
      dsPoolTgtCreate(engine.xs, { poolUuid: uuidGenerate(), scmBytesPerTarget: 16 * MIB, nvmeBytesPerTarget: 16 * MIB }),
    ).rejects.toMatchObject({ der: 'NVME_IO' });
  }, 30_000);
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('it did not come true within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

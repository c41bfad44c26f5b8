import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DaosError } from '@daos/common';

import {
  DeviceRole, DeviceSet, SmdDb, deviceFolderFormat, deviceFolderRead, smdAssign, smdDevGetById, smdDevGetByTgt,
  type BioDevice, type DeviceEvent, type DeviceReactions,
} from '../src/index.js';
import { ManualClock } from './manual_clock.js';

const [OLD, NEW, OTHER] = ['00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000003'];
const roles = DeviceRole.DATA;

let dir: string;
let smd: SmdDb;
let events: DeviceEvent[];
let devices: DeviceSet;
let reintegrated: string[];
let owner: DeviceReactions;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'devices-'));
  smd = await SmdDb.open(join(dir, 'smd.mdb'));
  events = [];
  reintegrated = [];
  owner = {
    faulty: async () => 'done',
    teardown: async () => 'done',
    setup: async () => 'done',
    replaced: async (device) => {
      reintegrated.push(device.uuid);
      return 'done';
    },
  };
  smdAssign(smd, { devices: [{ uuid: OLD, roles }, { uuid: OTHER, roles }], targets: 4, sysTarget: false });
  devices = newSet();
  for (const uuid of [OLD, OTHER]) devices.found({ uuid, roles });
});
afterEach(async () => {
  await smd.close();
  await rm(dir, { recursive: true, force: true });
});

function newSet(): DeviceSet {
  return new DeviceSet({ smd, clock: new ManualClock(), listener: (event) => events.push(event) });
}

function derOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof DaosError) return error.der;
    throw error;
  }
  return 'none';
}

async function pollUntil(device: BioDevice, state: string): Promise<void> {
  for (let i = 0; i < 5 && device.state !== state; i++) await device.poll(owner);
  expect(device.state).toBe(state);
}

function reported(): Record<string, string> {
  return Object.fromEntries(devices.list().map(({ uuid, reported: state }) => [uuid, state]));
}

describe('replacing a device', () => {
  it('is refused step by step until the old one is out and the new one is fit', async () => {
    expect(derOf(() => devices.replace(NEW, OLD))).toBe('NONEXIST');
    expect(derOf(() => devices.replace(OLD, NEW))).toBe('INVAL');
    devices.setFaulty(OLD);
    expect(smdDevGetById(smd, OLD).state).toBe('FAULTY');
    expect(derOf(() => devices.replace(OLD, NEW))).toBe('BUSY');
    await pollUntil(devices.get(OLD), 'OUT');
    expect(derOf(() => devices.replace(OLD, NEW))).toBe('INVAL');
    expect(derOf(() => devices.replace(OLD, OTHER))).toBe('INVAL');
    devices.found({ uuid: NEW, roles });
    expect(reported()).toEqual({ [OLD]: 'EVICTED', [NEW]: 'NEW', [OTHER]: 'NORMAL' });
    const replacement = devices.replace(OLD, NEW);
    expect(replacement.state).toBe('SETUP');
    expect(smdDevGetByTgt(smd, 0, DeviceRole.DATA).uuid).toBe(NEW);
    await pollUntil(replacement, 'NORMAL');
    await replacement.poll(owner);
    expect(reintegrated).toEqual([NEW]);
    expect(reported()).toEqual({ [OLD]: 'NEW', [NEW]: 'NORMAL', [OTHER]: 'NORMAL' });
  });

  it('by itself brings it back, without reintegrating, its errors forgotten', async () => {
    const device = devices.get(OLD);
    device.mediaError('read', 'x');
    devices.setFaulty(OLD);
    await pollUntil(device, 'OUT');
    expect(devices.replace(OLD, OLD)).toBe(device);
    expect([device.state, smdDevGetById(smd, OLD).state]).toEqual(['SETUP', 'NORMAL']);
    expect(device.errorCounts.read).toBe(0);
    await pollUntil(device, 'NORMAL');
    await device.poll(owner);
    expect(reintegrated).toEqual([]);
  });

  it('forgets to reintegrate when the engine starts again before', async () => {
    devices.setFaulty(OLD);
    await pollUntil(devices.get(OLD), 'OUT');
    devices.found({ uuid: NEW, roles });
    devices.replace(OLD, NEW);
    devices = newSet();
    const device = devices.found({ uuid: NEW, roles });
    expect([device.state, device.awaitsReintegration]).toEqual(['NORMAL', false]);
  });
});

describe('the devices of an engine', () => {
  it('tell their changes and errors to one listener', async () => {
    devices.get(OTHER).mediaError('checksum', 'a value');
    devices.setFaulty(OLD);
    await pollUntil(devices.get(OLD), 'OUT');
    expect(events.map((event) => (event.type === 'mediaError' ? `${event.kind} ${event.device}` : `${event.to} ${event.device}`))).toEqual([
      `checksum ${OTHER}`, `FAULTY ${OLD}`, `TEARDOWN ${OLD}`, `OUT ${OLD}`,
    ]);
  });

  it('that were faulty are faulty at the next start', () => {
    devices.setFaulty(OLD);
    devices = newSet();
    expect(devices.found({ uuid: OLD, roles }).state).toBe('FAULTY');
    expect(reported()).toEqual({ [OLD]: 'EVICTED', [OTHER]: 'UNPLUGGED' });
  });

  it('go out when they are pulled and come back when they are plugged in', async () => {
    devices.unplugged(OTHER);
    expect(reported()[OTHER]).toBe('UNPLUGGED');
    await pollUntil(devices.get(OTHER), 'OUT');
    expect(smdDevGetById(smd, OTHER).state).toBe('NORMAL');
    const device = devices.found({ uuid: OTHER, roles });
    expect([device.state, reported()[OTHER]]).toEqual(['SETUP', 'NORMAL']);
    expect(derOf(() => devices.unplugged(NEW))).toBe('NONEXIST');
    expect(derOf(() => devices.setFaulty(NEW))).toBe('NONEXIST');
  });
});

describe('a folder as a device', () => {
  it('keeps the id that it was given', async () => {
    const folder = join(dir, 'dev');
    await expect(deviceFolderRead(folder)).rejects.toMatchObject({ der: 'NONEXIST' });
    const uuid = await deviceFolderFormat(folder);
    expect([await deviceFolderRead(folder), await deviceFolderFormat(folder)]).toEqual([uuid, uuid]);
  });

  it.each([
    ['of a later version', `daos-device 2 ${OLD}\n`, 'DF_INCOMPT'],
    ['of somebody else', 'hello', 'DF_INVAL'],
    ['that is damaged', 'daos-device 1 0000\n', 'DF_INVAL'],
  ])('refuses a label %s, also to format over it', async (_name, label, der) => {
    await writeFile(join(dir, 'device'), label);
    await expect(deviceFolderRead(dir)).rejects.toMatchObject({ der });
    await expect(deviceFolderFormat(dir)).rejects.toMatchObject({ der });
  });
});

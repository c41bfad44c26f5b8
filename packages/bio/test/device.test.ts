import {
  AUTO_FAULTY_DEFAULT, BioDevice, BioFile, DeviceLed, DeviceMonitor, DeviceRole, deviceStateMayFollow, reportedState, roleHolder,
  type DeviceEvent, type DeviceOptions, type DeviceReactions, type DeviceState,
} from '../src/index.js';
import { FaultyIo, MemoryIo } from '../src/testing/index.js';
import { ManualClock } from './manual_clock.js';

const UUID = '11111111-2222-3333-4444-555555555555';
const STATES: readonly DeviceState[] = ['NORMAL', 'FAULTY', 'TEARDOWN', 'OUT', 'SETUP'];
const LEGAL = ['NORMAL>FAULTY', 'FAULTY>TEARDOWN', 'TEARDOWN>OUT', 'OUT>SETUP', 'SETUP>NORMAL', 'NORMAL>TEARDOWN', 'SETUP>FAULTY', 'SETUP>TEARDOWN'];

let clock: ManualClock;
let events: DeviceEvent[];

beforeEach(() => {
  clock = new ManualClock();
  events = [];
});

function device(options: Partial<DeviceOptions> = {}): BioDevice {
  return new BioDevice({ uuid: UUID, roles: DeviceRole.DATA, clock, listener: (event) => events.push(event), ...options });
}

function reactions(overrides: Partial<DeviceReactions> = {}): DeviceReactions & { calls: string[] } {
  const calls: string[] = [];
  const done = (name: keyof DeviceReactions) => async (asked: BioDevice): Promise<'inProgress' | 'done'> => {
    calls.push(name);
    return (await overrides[name]?.(asked)) ?? 'done';
  };
  return { calls, faulty: done('faulty'), teardown: done('teardown'), setup: done('setup'), replaced: done('replaced') };
}

describe('states', () => {
  it.each(STATES.flatMap((from) => STATES.map((to) => [from, to] as const)))('%s to %s', (from, to) => {
    const subject = device({ state: from });
    const legal = LEGAL.includes(`${from}>${to}`);
    expect(deviceStateMayFollow(from, to)).toBe(legal);
    if (legal) {
      subject.moveTo(to, 'test');
      expect(events).toEqual([{ type: 'stateChanged', device: UUID, from, to, reason: 'test' }]);
    } else if (from === to) {
      subject.moveTo(to, 'test');
      expect(events).toEqual([]);
    } else {
      expect(() => subject.moveTo(to, 'test')).toThrow(expect.objectContaining({ der: 'INVAL' }));
    }
    expect(subject.state).toBe(legal ? to : from);
  });

  it('writes FAULTY down, and is faulty even when that fails', () => {
    const written: string[] = [];
    device({ persistFaulty: (uuid) => written.push(uuid) }).declareFaulty('test');
    expect(written).toEqual([UUID]);
    const subject = device({
      persistFaulty: () => {
        throw new Error('disk full');
      },
    });
    subject.declareFaulty('test');
    expect(subject.state).toBe('FAULTY');
  });

  it('forgets its errors at set-up', () => {
    const subject = device();
    subject.mediaError('read', 'x');
    subject.mediaError('unmap', 'x');
    expect(subject.errorCounts).toEqual({ read: 1, write: 0, unmap: 1, checksum: 0 });
    for (const state of ['FAULTY', 'TEARDOWN', 'OUT', 'SETUP'] as const) subject.moveTo(state, 'test');
    expect(subject.errorCounts).toEqual({ read: 0, write: 0, unmap: 0, checksum: 0 });
  });

  it('is told to administrators by what is plugged, in use and faulty', () => {
    const [PLUGGED, IN_USE, FAULTY] = [1, 2, 4];
    expect([PLUGGED | IN_USE, PLUGGED | IN_USE | FAULTY, IN_USE | FAULTY, IN_USE, PLUGGED, 0].map(reportedState)).toEqual([
      'NORMAL', 'EVICTED', 'EVICTED', 'UNPLUGGED', 'NEW', 'UNKNOWN',
    ]);
  });
});

describe('faulty without being told to', () => {
  function errors(subject: BioDevice, kind: 'read' | 'write' | 'unmap' | 'checksum', count: number): DeviceState {
    for (let i = 0; i < count; i++) subject.mediaError(kind, 'injected');
    return subject.state;
  }

  it('after more I/O errors than allowed: 10 are, reads and writes together', () => {
    const subject = device();
    expect([errors(subject, 'read', 6), errors(subject, 'write', 4), errors(subject, 'unmap', 5)]).toEqual(['NORMAL', 'NORMAL', 'NORMAL']);
    expect(errors(subject, 'write', 1)).toBe('FAULTY');
    expect(events.at(-1)).toMatchObject({ type: 'stateChanged', to: 'FAULTY', reason: '11 I/O errors, at most 10 are allowed' });
  });

  it('after more checksum errors than allowed: any number is, unless set', () => {
    expect(errors(device(), 'checksum', 1000)).toBe('NORMAL');
    expect(errors(device({ criteria: { ...AUTO_FAULTY_DEFAULT, checksumErrorsMax: 2 } }), 'checksum', 2)).toBe('NORMAL');
    expect(errors(device({ criteria: { ...AUTO_FAULTY_DEFAULT, checksumErrorsMax: 2 } }), 'checksum', 3)).toBe('FAULTY');
  });

  it('never when that is switched off, but at the first error of metadata', () => {
    const criteria = { ...AUTO_FAULTY_DEFAULT, enable: false };
    expect(errors(device({ criteria }), 'read', 100)).toBe('NORMAL');
    expect(errors(device({ criteria, roles: DeviceRole.META }), 'read', 1)).toBe('FAULTY');
    expect(errors(device({ criteria, roles: DeviceRole.DATA | DeviceRole.WAL }), 'write', 1)).toBe('FAULTY');
    expect(errors(device({ criteria, roles: DeviceRole.META }), 'checksum', 100)).toBe('NORMAL');
  });

  it('when an I/O takes longer than 120 s, whatever else is fast', async () => {
    const subject = device();
    const slow = subject.ioStarted();
    for (let s = 0; s < 119; s++) {
      clock.advance(1000);
      subject.ioEnded(subject.ioStarted());
      await subject.poll(reactions());
      expect(subject.state).toBe('NORMAL');
    }
    expect(subject.pollInMs()).toBe(30_000);
    clock.advance(31_000);
    await subject.poll(reactions());
    expect(subject.state).toBe('FAULTY');
    subject.ioEnded(slow);
  });

  it('takes timeouts from 30 s to 300 s', () => {
    for (const stallTimeoutMs of [29_999, 300_001, NaN]) expect(() => device({ stallTimeoutMs })).toThrow(expect.objectContaining({ der: 'INVAL' }));
    expect(device({ stallTimeoutMs: 30_000 }).state).toBe('NORMAL');
  });
});

describe('the owner', () => {
  it('takes a faulty device out step by step, each again until it is done', async () => {
    let answers: ('inProgress' | 'done')[] = ['inProgress', 'done', 'inProgress', 'done'];
    const next = async (): Promise<'inProgress' | 'done'> => answers.shift() ?? 'done';
    const owner = reactions({ faulty: next, teardown: next, setup: next });
    const subject = device();
    subject.declareFaulty('test');
    const states: DeviceState[] = [];
    for (let i = 0; i < 5; i++) {
      await subject.poll(owner);
      states.push(subject.state);
    }
    expect(states).toEqual(['FAULTY', 'TEARDOWN', 'TEARDOWN', 'OUT', 'OUT']);
    expect(owner.calls).toEqual(['faulty', 'faulty', 'teardown', 'teardown']);
    answers = ['inProgress', 'done'];
    subject.moveTo('SETUP', 'replaced');
    await subject.poll(owner);
    expect(subject.state).toBe('SETUP');
    await subject.poll(owner);
    expect(subject.state).toBe('NORMAL');
    expect(owner.calls).not.toContain('replaced');
  });

  it('reintegrates the targets of a replaced device when it is NORMAL, once', async () => {
    const subject = device({ state: 'SETUP' });
    subject.awaitsReintegration = true;
    const owner = reactions();
    for (let i = 0; i < 4; i++) await subject.poll(owner);
    expect(owner.calls).toEqual(['setup', 'replaced']);
  });

  it('keeps the state when a step fails, and asks again', async () => {
    let failing = true;
    const owner = reactions({
      teardown: async () => {
        if (failing) throw new Error('a file does not close');
        return 'done';
      },
    });
    const subject = device({ state: 'TEARDOWN' });
    await subject.poll(owner);
    expect(subject.state).toBe('TEARDOWN');
    failing = false;
    await subject.poll(owner);
    expect(subject.state).toBe('OUT');
  });

  it('polls every 60 s, every 3 s while a device is in transit', async () => {
    const monitor = new DeviceMonitor(reactions({ faulty: async () => 'inProgress' }), clock);
    const subject = device();
    monitor.watch(subject);
    expect(clock.pendingMs).toEqual([60_000]);
    subject.declareFaulty('test');
    await monitor.pollNow(subject);
    expect(clock.pendingMs).toEqual([3_000]);
    monitor.stop();
    expect(clock.pendingMs).toEqual([]);
  });
});

describe('the light', () => {
  it('blinks for two minutes unless told otherwise, then shows again what the drive is', () => {
    const led = new DeviceLed(true, clock);
    expect(led.state).toBe('OFF');
    expect(led.identify()).toBe('QUICK_BLINK');
    led.setFaulty(true);
    clock.advance(119_999);
    expect(led.state).toBe('QUICK_BLINK');
    clock.advance(1);
    expect(led.state).toBe('ON');
    led.identify(0);
    clock.advance(1e9);
    expect(led.state).toBe('QUICK_BLINK');
    expect(led.reset()).toBe('ON');
    led.setFaulty(false);
    expect(led.state).toBe('OFF');
    expect(() => led.identify(-1)).toThrow(expect.objectContaining({ der: 'INVAL' }));
  });

  it('is on from FAULTY until set-up', () => {
    const subject = device({ led: true });
    const states = (['FAULTY', 'TEARDOWN', 'OUT', 'SETUP', 'NORMAL'] as const).map((state) => {
      subject.moveTo(state, 'test');
      return subject.led.state;
    });
    expect(states).toEqual(['ON', 'ON', 'ON', 'OFF', 'OFF']);
  });

  it('succeeds without effect where there is none', () => {
    const led = new DeviceLed(false, clock);
    expect([led.identify(), led.reset(), led.state]).toEqual(['NA', 'NA', 'NA']);
    expect(clock.pendingMs).toEqual([]);
  });
});

describe('a file on a device', () => {
  it('counts its errors there, and fails with DER_NVME_IO while the device does not serve', async () => {
    const io = new FaultyIo(new MemoryIo());
    const subject = device();
    const file = await BioFile.createOn(io, 1 << 20, { device: subject });
    io.inject({ step: 'write', times: 1, effect: { kind: 'fail' } });
    await expect(file.write(0, [Buffer.alloc(10)])).rejects.toMatchObject({ der: 'NVME_IO' });
    io.inject({ step: 'write', times: 1, effect: { kind: 'fail', code: 'ENOSPC' } });
    await expect(file.write(0, [Buffer.alloc(10)])).rejects.toMatchObject({ der: 'NOSPACE' });
    io.inject({ step: 'read', times: 1, effect: { kind: 'fail' } });
    await expect(file.read(0, 10)).rejects.toMatchObject({ der: 'NVME_IO' });
    expect(subject.errorCounts).toEqual({ read: 1, write: 1, unmap: 0, checksum: 0 });
    subject.declareFaulty('test');
    for (const attempt of [() => file.write(0, [Buffer.alloc(10)]), () => file.read(0, 10), () => file.flush(), () => file.readLease(0, 10)]) {
      await expect(attempt()).rejects.toMatchObject({ der: 'NVME_IO' });
    }
    await expect(BioFile.openOn(io, { device: subject })).rejects.toMatchObject({ der: 'NVME_IO' });
    await file.close();
    for (const state of ['TEARDOWN', 'OUT', 'SETUP'] as const) subject.moveTo(state, 'test');
    const again = await BioFile.openOn(io, { device: subject });
    await again.write(0, [Buffer.alloc(10)]);
    expect(subject.errorCounts).toEqual({ read: 0, write: 0, unmap: 0, checksum: 0 });
  });

  it('fails what is queued when the device becomes faulty before its turn', async () => {
    const io = new FaultyIo(new MemoryIo());
    const subject = device();
    const file = await BioFile.createOn(io, 1 << 20, { device: subject });
    const queued = file.write(0, [Buffer.alloc(10)]);
    const calls = io.calls.write;
    subject.declareFaulty('test');
    await expect(queued).rejects.toMatchObject({ der: 'NVME_IO' });
    expect(io.calls.write).toBe(calls);
  });

  it('is declared faulty by an I/O that hangs', async () => {
    const io = new FaultyIo(new MemoryIo());
    const subject = device();
    const file = await BioFile.createOn(io, 1 << 20, { device: subject });
    io.inject({ step: 'read', effect: { kind: 'stall' } });
    const hanging = file.read(0, 10);
    clock.advance(140_000);
    await subject.poll(reactions());
    expect(subject.state).toBe('FAULTY');
    io.releaseStalls();
    await hanging;
  });
});

describe('roles', () => {
  it('fall back from WAL to META to DATA', () => {
    const { DATA, META, WAL } = DeviceRole;
    expect([roleHolder(WAL, DATA | META | WAL), roleHolder(WAL, DATA | META), roleHolder(WAL, DATA), roleHolder(META, DATA | WAL)]).toEqual([WAL, META, DATA, DATA]);
    expect(() => roleHolder(DATA, META)).toThrow(expect.objectContaining({ der: 'NONEXIST' }));
    for (const roles of [0, 8, 1.5]) expect(() => device({ roles })).toThrow(expect.objectContaining({ der: 'INVAL' }));
  });
});

import { RwLock } from '@daos/rsvc';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('read-write lock', () => {
  it('lets readers run together and writers alone, in order of arrival', async () => {
    const lock = new RwLock();
    const log: string[] = [];
    const gates: (() => void)[] = [];
    const work = (name: string) => async (): Promise<void> => {
      log.push(`+${name}`);
      await new Promise<void>((resolve) => gates.push(resolve));
      log.push(`-${name}`);
    };
    const all = [
      lock.read(work('r1')),
      lock.read(work('r2')),
      lock.write(work('w1')),
      lock.read(work('r3')),
      lock.write(work('w2')),
    ];
    await tick();
    expect(log).toEqual(['+r1', '+r2']);
    for (let i = 0; i < 8; i++) {
      gates.shift()?.();
      await tick();
    }
    await Promise.all(all);
    expect(log).toEqual(['+r1', '+r2', '-r1', '-r2', '+w1', '-w1', '+r3', '-r3', '+w2', '-w2']);
  });

  it('goes on after work that throws', async () => {
    const lock = new RwLock();
    await expect(lock.write(() => Promise.reject(new Error('bad')))).rejects.toThrow('bad');
    await expect(
      lock.read(() => {
        throw new Error('worse');
      }),
    ).rejects.toThrow('worse');
    expect(await lock.write(() => 1)).toBe(1);
  });
});

import { isDaosError } from '@daos/common';

import { daosInit } from '../src/index.js';
import { StandaloneSystem } from './harness/standalone_system.js';

const MIB = 1 << 20;

describe('a full pool', () => {
  it.each([
    ['of large values', 4 * MIB, 400],
    ['of small values', 2000, 60_000],
  ])('%s refuses updates with NOSPACE; reads and deletes still work', async (_what, size, limit) => {
    const system = await StandaloneSystem.start({ targets: 1, scmBytes: BigInt(64 * MIB), nvmeBytes: BigInt(128 * MIB) });
    try {
      await using daos = await daosInit({ agentDir: system.agentDir });
      await using pool = await daos.poolConnect('tank');
      await pool.contCreate({ label: 'full' });
      await using cont = await pool.contOpen('full', { mode: 'rw' });
      const kv = await cont.kvCreate({ class: 'S1' });
      let stored = 0;
      let refused: unknown;
      const writer = async (from: number) => {
        for (let i = from; i < limit && !refused; i += 16) {
          try {
            await kv.put(`key-${i}`, Buffer.alloc(size, i));
            stored++;
          } catch (error) {
            refused ??= error;
          }
        }
      };
      await Promise.all(Array.from({ length: 16 }, (_, i) => writer(i)));
      expect(isDaosError(refused, 'NOSPACE')).toBe(true);
      expect(stored).toBeGreaterThan(10);
      expect((await kv.get('key-3'))?.every((byte) => byte === 3)).toBe(true);
      for (let i = 0; i < 10; i++) await kv.remove(`key-${i}`);
      expect(await kv.get('key-3')).toBeUndefined();
      expect((await kv.get('key-11'))?.length).toBe(size);
    } finally {
      await system.remove();
    }
  }, 60_000);
});

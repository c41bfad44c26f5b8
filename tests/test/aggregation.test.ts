import { daosInit, type KvObject } from '@daos/client';

import { TempSystem } from '../src/index.js';

const MIB = 1024 * 1024;
const KEYS = 16;

describe('a pool whose values are overwritten all the time', () => {
  it('takes more than its size, since history older than the gap gives its space back', async () => {
    const temp = await TempSystem.start();
    try {
      const daos = await daosInit({ agentDir: temp.system.agentDir });
      try {
        const created = await temp.dmg(['pool', 'create', '--scm-size=256MB', '--nvme-size=1GB', '--properties=reclaim:time', 'small']);
        expect(created).toMatchObject({ code: 0 });
        const pool = await daos.poolConnect('small');
        await pool.contCreate({ label: 'over' });
        const cont = await pool.contOpen('over', { mode: 'rw' });
        const kv = await cont.kvCreate({ class: 'SX' });
        // without space coming back, the first write that does not fit would wait to the end of the test
        expect(await overwrite(kv, 1536 * MIB)).toBe(1536 * MIB);
      } finally {
        await daos.close();
      }
    } finally {
      await temp.remove();
    }
  }, 300_000);
});

/** Writes so many bytes to a few keys, each with what its round says, and reads one back after each round. */
async function overwrite(kv: KvObject, bytes: number): Promise<number> {
  let written = 0;
  for (let round = 0; written < bytes; round++) {
    const value = Buffer.alloc(MIB, round);
    for (let key = 0; key < KEYS; key++) {
      while (!(await fits(kv.put(`key ${key}`, value)))) {
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
    written += KEYS * MIB;
    const found = await kv.get(`key ${round % KEYS}`);
    if (!found || !value.equals(found)) throw new Error(`round ${round}: another value came back`);
  }
  return written;
}

async function fits(put: Promise<unknown>): Promise<boolean> {
  try {
    await put;
    return true;
  } catch (error) {
    if ((error as { der?: string }).der === 'NOSPACE') return false;
    throw error;
  }
}

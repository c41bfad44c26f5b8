import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { seededRandom } from '@daos/gurt';

import type { VosContainer } from '../src/index.js';
import { KEYS, dkeyOf, isPunch, valueOf } from './durability_workload.js';
import { HASHED, MIB, TestPool, array, bytes, single, unitOid } from './fixture.js';

const KILLS = 12;
const RUN_MS_MAX = 250;
const CHILD = fileURLToPath(new URL('./durability_child.js', import.meta.url));

describe('a process that is killed', () => {
  it('has every acknowledged update on the disk, and none of any other half', async () => {
    const random = seededRandom(20);
    const test = await TestPool.create({ scmBytes: 256 * MIB, nvmeBytes: 1024 * MIB });
    try {
      const container = await test.newContainer();
      const { uuid } = container;
      const acknowledged = new Set<number>();
      let first = 1;
      for (let kill = 0; kill < KILLS; kill++) {
        await test.pool.close();
        const before = acknowledged.size;
        const from = first;
        await runAndKill([test.dir, test.uuid, uuid, String(first), kill % 2 === 0 ? 'busy' : 'calm'], random.below(RUN_MS_MAX), (n) => acknowledged.add(n));
        if (acknowledged.size > before) first = Math.max(...acknowledged) + 100;
        await test.open();
        const reopened = test.pool.containerOpen(uuid);
        await check(reopened, acknowledged, from, first);
        if (kill === KILLS - 1) await check(reopened, acknowledged, 1, first);
        reopened.close();
      }
      expect(acknowledged.size).toBeGreaterThan(KILLS * 10);
    } finally {
      await test.destroy();
    }
  }, 60_000);
});

async function runAndKill(args: string[], afterMs: number, acknowledge: (n: number) => void): Promise<void> {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let rest = '';
  let isReady = false;
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line !== 'ready') acknowledge(Number(line));
      else if (!isReady) {
        isReady = true;
        setTimeout(() => child.kill('SIGKILL'), afterMs);
      }
    }
  });
  // the pipe is read to its end: what was said before the kill counts
  await once(child, 'close');
  expect(isReady).toBe(true);
}

/** For each key, what is seen at each of its epochs follows from what was acknowledged; what was not may be there. */
async function check(container: VosContainer, acknowledged: ReadonlySet<number>, from: number, end: number): Promise<void> {
  for (let first = from; first < from + KEYS; first++) {
    const dkey = dkeyOf(first);
    let seenBefore = await seenAt(container, dkey, first - 1);
    for (let n = first; n < end; n += KEYS) {
      const seen = await seenAt(container, dkey, n);
      if (seen === n || (seen === 0 && isPunch(n))) {
        seenBefore = seen;
        continue;
      }
      if (acknowledged.has(n)) throw new Error(`update ${n} was acknowledged; epoch ${n} shows ${seen}`);
      // not there: then what was seen before still is
      if (seen !== seenBefore) throw new Error(`epoch ${n} shows ${seen} after ${seenBefore}`);
    }
  }
}

/** Number of the update that a dkey shows at an epoch, 0: nothing. Throws when it is not shown whole. */
async function seenAt(container: VosContainer, dkey: Uint8Array, n: number): Promise<number> {
  const iods = [single(bytes('single'), 0), array(bytes('array'), 1, [0, 16])];
  const [value, extent] = await container.fetch({ oid: unitOid(1), flavours: HASHED, epoch: BigInt(n), flags: 0, dkey, iods });
  const data = Buffer.from(value?.pieces[0]?.data ?? []);
  const head = Buffer.from(extent?.pieces[0]?.data ?? []);
  if (data.length === 0 && head.length === 0) return 0;
  const shown = data.readDoubleLE(0);
  if (Buffer.compare(data, valueOf(shown)) !== 0) throw new Error(`epoch ${n}: the value of ${shown} is damaged`);
  if (head.readDoubleLE(0) !== shown) throw new Error(`epoch ${n}: half of update ${shown} is there`);
  return shown;
}

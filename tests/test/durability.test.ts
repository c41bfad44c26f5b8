import { daosInit, type KvObject } from '@daos/client';

import { TempSystem } from '../src/index.js';

/** Kill points per run; each kills the engine at a random moment of a running load. */
const KILL_POINTS = Number(process.env['DAOS_TEST_KILL_POINTS'] ?? 8);
const IN_FLIGHT = 16;

/** Writes numbered values without pause; remembers which were acknowledged. */
class Writer {
  readonly acknowledged = new Map<string, number>();
  readonly failed: unknown[] = [];
  private running = true;
  private next = 0;

  constructor(
    private readonly kv: KvObject,
    private readonly round: number,
  ) {}

  start(): Promise<unknown> {
    return Promise.all(Array.from({ length: IN_FLIGHT }, () => this.loop()));
  }

  stop(): void {
    this.running = false;
  }

  private async loop(): Promise<void> {
    while (this.running) {
      const number = this.next++;
      const key = `${this.round}/${number}`;
      try {
        await this.kv.put(key, valueOf(key), { timeoutMs: 30_000 });
        this.acknowledged.set(key, number);
      } catch (error) {
        this.failed.push(error);
      }
    }
  }
}

/** Every third value is large enough for the data file. The content follows from the key. */
function valueOf(key: string): Buffer {
  const length = Number(key.split('/')[1]) % 3 === 0 ? 6000 : 64;
  return Buffer.alloc(length, `${key};`);
}

describe('SIGKILL of the engine under load', () => {
  it(
    `keeps every acknowledged write over ${KILL_POINTS} kill points, and clients go on`,
    async () => {
      const temp = await TempSystem.start();
      const daos = await daosInit({ agentDir: temp.system.agentDir }).catch(async (error: unknown) => {
        await temp.remove();
        throw error;
      });
      try {
        const pool = await daos.poolConnect('tank');
        await pool.contCreate({ label: 'kill' });
        const cont = await pool.contOpen('kill', { mode: 'rw' });
        const kv = await cont.kvCreate({ class: 'SX' });
        const expected: string[] = [];
        for (let round = 0; round < KILL_POINTS; round++) {
          const writer = new Writer(kv, round);
          const done = writer.start();
          await waitFor(() => Promise.resolve(writer.acknowledged.size > 0), 30_000);
          await sleep(Math.random() * 400);
          const [pid] = temp.system.enginePids();
          if (pid === undefined) throw new Error('no engine runs');
          process.kill(pid, 'SIGKILL');
          await restartRank(temp, pid);
          await sleep(200);
          writer.stop();
          await done;
          expected.push(...writer.acknowledged.keys());
        }
        const lost: string[] = [];
        for (const key of expected) {
          const value = await kv.get(key);
          if (!value || !valueOf(key).equals(value)) lost.push(key);
        }
        expect(lost).toEqual([]);
      } finally {
        await daos.close().catch(() => undefined);
        await temp.remove();
      }
    },
    300_000,
  );
});

/**
 * The server restarts an engine that died by itself, at most once in five minutes; after that the rank shows as errored
 * and an administrator brings it back, as here.
 */
async function restartRank(temp: TempSystem, killedPid: number): Promise<void> {
  await waitFor(async () => {
    if (temp.system.enginePids().some((pid) => pid !== killedPid)) return true;
    const query = await temp.dmg(['system', 'query']);
    if (query.stdout.toLowerCase().includes('errored')) await temp.dmg(['system', 'start']);
    return false;
  }, 30_000);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function waitFor(condition: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`condition not met within ${timeoutMs} ms`);
    await sleep(20);
  }
}

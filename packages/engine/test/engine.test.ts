import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { cartClient, targetTag, type CartContext } from '@daos/cart';

import { startEngine, type EngineOptions, type RunningEngine } from '../src/index.js';
import { ASK_ALL, HELLO } from './sample_module.js';

const url = new URL('./sample_module.js', import.meta.url).href;
const SAMPLE = { url, exportName: 'sampleModule' };
const dir = mkdtempSync(join(tmpdir(), 'daos-engine-'));

function options(more: Partial<EngineOptions> = {}): EngineOptions {
  return {
    modules: [SAMPLE], targetCount: 2, storageDir: join(dir, 'scm'), socketDir: dir, standalone: { rank: 3 }, ...more,
  };
}

describe('an engine', () => {
  let engine: RunningEngine;
  let client: CartContext;

  beforeAll(async () => {
    engine = await startEngine(options());
    client = cartClient();
    client.setGroup([{ rank: 3, uri: engine.uri }]);
  });

  afterAll(async () => {
    await client.close();
    await engine.stop();
    rmSync(dir, { recursive: true });
  });

  it('serves every target on its own endpoint', async () => {
    for (const target of [0, 1]) {
      const { output } = await client.call({ rank: 3, tag: targetTag(target) }, HELLO, { text: 'x' });
      expect(output).toEqual({ text: 'x', target, rank: 3 });
    }
    expect((await client.call({ rank: 3, tag: 0 }, HELLO, { text: 'x' })).output.target).toBe(-1);
  });

  it('runs operations across xstreams and returns results in target order', async () => {
    expect(await engine.xs.onTargets('times', 7)).toEqual([7, 14]);
    expect(await engine.xs.onTargets('times', 7, [1])).toEqual([14]);
    expect(await engine.xs.onTarget('viaSystem' as never as number, 'times', 1).catch((e: Error) => e.message))
      .toMatch(/no target/);
    expect(await engine.xs.onTarget(1, 'viaSystem', undefined)).toEqual([10, 20]);
    expect(await engine.xs.onTarget(0, 'neighbour', 1)).toBe(200);
    expect((await client.call({ rank: 3, tag: targetTag(0) }, ASK_ALL, { factor: 3 })).output.answers).toEqual([3, 6]);
  });

  it('rebuilds the DaosError of the first failing target', async () => {
    await expect(engine.xs.onTargets('fail', 'space')).rejects.toMatchObject({ der: 'NOSPACE', detail: 'target 0 is full' });
    await expect(engine.xs.onTarget(1, 'fail', 'bug')).rejects.toThrow('TypeError: a bug');
    await expect(engine.xs.onTarget(1, 'none', 0)).rejects.toMatchObject({ der: 'UNREG' });
  });

  it('does not clone the memory around a small view', async () => {
    const view = new Uint8Array(1024 * 1024).subarray(10, 14).fill(5);
    const answer = await engine.xs.onTarget<Uint8Array, { bytes: Uint8Array; memory: number }>(0, 'bytes', view);
    expect([...answer.bytes]).toEqual([5, 5, 5, 5]);
    expect(answer.memory).toBe(4);
  });

  it('starts and sets up modules in every xstream', async () => {
    expect(await engine.xs.onTargets('log', undefined)).toEqual([['start', 'setup'], ['start', 'setup']]);
    expect(await engine.xs.onSystem('log', undefined)).toEqual(['start', 'setup']);
  });

  it('accepts newer groups only and keeps its rank', async () => {
    const members = [{ rank: 3, uri: engine.uri }, { rank: 4, uri: 'tcp://127.0.0.1:1' }];
    expect(await engine.xs.updateGroup(5, members)).toBe(true);
    expect(await engine.xs.updateGroup(5, [])).toBe(false);
    expect(engine.xs.groupVersion()).toBe(5);
    expect(engine.xs.groupRanks().map((m) => m.rank)).toEqual([3, 4]);
    await expect(engine.xs.setRank(3, 0)).resolves.toBeUndefined();
    await expect(engine.xs.setRank(9, 0)).rejects.toMatchObject({ der: 'ALREADY' });
  });

  it('serves dRPC modules and refuses unknown ones', async () => {
    expect([...await engine.callDrpc(77, 1, Buffer.from([1, 2]))]).toEqual([1, 2]);
    await expect(engine.callDrpc(77, 2, Buffer.alloc(0))).rejects.toMatchObject({ der: 'NOSYS' });
    await expect(engine.callDrpc(78, 1, Buffer.alloc(0))).rejects.toMatchObject({ der: 'UNREG' });
    await expect(engine.xs.callServer(3, 301, Buffer.alloc(0))).rejects.toMatchObject({ der: 'NOSYS' });
  });
});

describe('starting and stopping', () => {
  it('reports the error of a target whose module does not start, and leaves nothing behind', async () => {
    const broken = { url, exportName: 'brokenModule' };
    await expect(startEngine(options({ modules: [SAMPLE, broken] })))
      .rejects.toMatchObject({ der: 'DF_INCOMPT', message: expect.stringContaining('module broken: start: written by') });
    await expect(startEngine(options({ modules: [{ url, exportName: 'none' }] }))).rejects.toMatchObject({ der: 'INVAL' });
    await expect(startEngine(options({ modules: [SAMPLE, SAMPLE] }))).rejects.toMatchObject({ der: 'INVAL' });
  });

  it('throws DER_BUSY when a port of the range is in use', async () => {
    const first = await startEngine(options({ standalone: { rank: 0 } }));
    const port = Number(first.uri.split(':').pop());
    await expect(startEngine(options({ port: port - 2 }))).rejects.toMatchObject({ der: 'BUSY' });
    await expect(startEngine(options({ port }))).rejects.toMatchObject({ der: 'BUSY' });
    await first.stop();
    const again = await startEngine(options({ port }));
    await again.stop();
    await expect(again.ended).resolves.toBeUndefined();
  });

  it('ends with an error when a target thread dies', async () => {
    const engine = await startEngine(options());
    await expect(engine.xs.onTarget(0, 'fail', 'crash')).rejects.toMatchObject({ der: 'NOSPACE' });
    await expect(engine.ended).rejects.toThrow(/thread of target 0/);
    await expect(engine.xs.onTarget(0, 'times', 1)).rejects.toMatchObject({ der: 'SHUTDOWN' });
    await engine.stop();
  });

  it('calls go from one engine to another', async () => {
    const one = await startEngine(options({ standalone: { rank: 0 } }));
    const two = await startEngine(options({ standalone: { rank: 1 } }));
    const members = [{ rank: 0, uri: one.uri }, { rank: 1, uri: two.uri }];
    await one.xs.updateGroup(2, members);
    await two.xs.updateGroup(2, members);
    const { output } = await one.xs.cart.call({ rank: 1, tag: targetTag(1) }, HELLO, { text: 'y' });
    expect(output).toEqual({ text: 'y', target: 1, rank: 1 });
    await Promise.all([one.stop(), two.stop()]);
  });
});

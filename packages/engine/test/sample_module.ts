import { defineRpc, f } from '@daos/cart';
import { DaosError } from '@daos/common';

import { tlsKey, type EngineModule } from '../src/index.js';

export const HELLO = defineRpc({
  name: 'HELLO', module: 0xf2, version: 1, index: 1, request: { text: f.str },
  reply: { text: f.str, target: f.int, rank: f.u32 },
});

/** Asks the receiving xstream to run an operation on all targets. */
export const ASK_ALL = defineRpc({
  name: 'ASK_ALL', module: 0xf2, version: 1, index: 2, request: { factor: f.u32 }, reply: { answers: f.array(f.int) },
});

const STATE = tlsKey<{ log: string[] }>('sample.log');

/** Shows everything that a module can do; used by the tests of the framework. */
export const sampleModule: EngineModule = {
  name: 'sample',
  id: 40,
  version: 1,
  start(xs) {
    const log = ['start'];
    xs.provide(STATE, { log });
    xs.handle(HELLO, ({ input }) => ({ output: { text: input.text, target: xs.target, rank: xs.engine.rank } }));
    xs.handle(ASK_ALL, async ({ input }) => ({ output: { answers: await xs.onTargets<number, number>('times', input.factor) } }));
    xs.operation<number, number>('times', (factor) => factor * (xs.target + 1));
    xs.operation<undefined, string[]>('log', () => xs.tls(STATE).log);
    xs.operation<Uint8Array, { bytes: Uint8Array; memory: number }>('bytes', (bytes) => (
      { bytes, memory: bytes.buffer.byteLength }));
    xs.operation<string, never>('fail', (how) => {
      if (how === 'crash') setImmediate(() => { throw new Error('a thread died'); });
      if (how === 'bug') throw new TypeError('a bug');
      throw new DaosError('NOSPACE', `target ${xs.target} is full`);
    });
    xs.operation<undefined, number[]>('viaSystem', () => xs.onSystem<undefined, number[]>('relay', undefined));
    xs.operation<number, number>('neighbour', (target) => xs.onTarget<number, number>(target, 'times', 100));
    if (xs.kind === 'system') {
      xs.operation<undefined, number[]>('relay', () => xs.onTargets<number, number>('times', 10));
      xs.handleDrpc(77, async (method, body) => {
        if (method !== 1) throw new DaosError('NOSYS', `method ${method}`);
        return body;
      });
    }
    return {
      setup: () => void log.push('setup'),
      cleanup: () => void log.push('cleanup'),
      fini: () => void log.push('fini'),
    };
  },
};

export const brokenModule: EngineModule = {
  name: 'broken', id: 41, version: 1,
  start(xs) {
    if (xs.target === 1) throw new DaosError('DF_INCOMPT', 'written by a newer version');
    return {};
  },
};

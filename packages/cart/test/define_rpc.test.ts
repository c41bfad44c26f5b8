import { uuidGenerate, type Uuid, type ObjectId } from '@daos/common';
import fc from 'fast-check';

import { defineRpc, f } from '../src/index.js';

const RPC = defineRpc({
  name: 'SAMPLE',
  module: 4,
  version: 10,
  index: 3,
  request: {
    flag: f.bool,
    small: f.u32,
    signed: f.int,
    epoch: f.u64,
    text: f.str,
    key: f.bytes,
    id: f.uuid,
    oid: f.oid,
    list: f.array(f.struct({ a: f.u32, b: f.nullable(f.str) })),
    maybe: f.nullable(f.u64),
  },
  reply: {},
});

type Request = Parameters<typeof RPC.request.encode>[0];

/** Compile-time check of the inferred type. */
const sample: {
  flag: boolean; small: number; signed: number; epoch: bigint; text: string; key: Uint8Array; id: Uuid; oid: ObjectId;
  list: { a: number; b?: string }[]; maybe?: bigint;
} = {
  flag: true, small: 1, signed: -5, epoch: 1n << 63n, text: 'tank', key: new Uint8Array([0, 255]), id: uuidGenerate(),
  oid: { hi: 1n, lo: (1n << 64n) - 1n }, list: [{ a: 1 }, { a: 2, b: 'x' }],
};

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const anyRequest: fc.Arbitrary<Request> = fc.record({
  flag: fc.boolean(),
  small: fc.integer({ min: 0, max: 0xffffffff }),
  signed: fc.maxSafeInteger(),
  epoch: u64,
  text: fc.string({ unit: 'grapheme', maxLength: 300 }),
  key: fc.uint8Array({ maxLength: 70_000 }),
  id: fc.uuid(),
  oid: fc.record({ hi: u64, lo: u64 }),
  list: fc.array(fc.record({ a: fc.nat(), b: fc.option(fc.string(), { nil: undefined }) }), { maxLength: 40 }),
  maybe: fc.option(u64, { nil: undefined }),
});

describe('defineRpc', () => {
  it('builds the opcode from module, version and index', () => {
    expect(RPC.opcode).toBe(0x040a0003);
    expect(defineRpc({ name: 'X', module: 0xfe, version: 2, index: 0, request: {}, reply: {} }).opcode).toBe(0xfe020000);
  });

  it('decodes what it encoded', () => {
    expect(RPC.request.decode(RPC.request.encode(sample))).toEqual(
      { ...sample, maybe: undefined, list: [{ a: 1, b: undefined }, { a: 2, b: 'x' }] });
    fc.assert(fc.property(anyRequest, (request) => {
      expect(RPC.request.decode(RPC.request.encode(request))).toEqual(request);
    }), { numRuns: 300 });
  });

  it('encodes an empty message as an empty array', () => {
    expect([...RPC.reply.encode({})]).toEqual([0x90]);
  });

  it('refuses values that do not fit with DER_INVAL', () => {
    for (const bad of [{ small: -1 }, { small: 2 ** 32 }, { small: 1.5 }, { signed: 2 ** 60 }, { epoch: 1n << 64n },
      { epoch: -1n }, { id: 'x' }]) {
      expect(() => RPC.request.encode({ ...sample, ...bad })).toThrow(expect.objectContaining({ der: 'INVAL' }));
    }
    expect(RPC.request.decode(RPC.request.encode(sample)).text).toBe('tank');
  });

  it('answers DER_PROTO to every truncation and to trailing bytes', () => {
    const bytes = RPC.request.encode(sample);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => RPC.request.decode(bytes.subarray(0, length))).toThrow(expect.objectContaining({ der: 'PROTO' }));
    }
    expect(() => RPC.request.decode(Buffer.concat([bytes, Buffer.from([0])])))
      .toThrow(expect.objectContaining({ der: 'PROTO' }));
  });

  it('answers DER_PROTO or a well-typed message to any mutation, and never loops or overruns', () => {
    const original = Buffer.from(RPC.request.encode(sample));
    fc.assert(fc.property(fc.nat(original.length - 1), fc.nat(255), fc.nat(original.length - 1), fc.nat(255),
      (at, value, at2, value2) => {
        const bytes = Buffer.from(original);
        bytes[at] = value;
        bytes[at2] = value2;
        try {
          expect(typeof RPC.request.decode(bytes).small).toBe('number');
        } catch (error) {
          expect(error).toMatchObject({ der: 'PROTO' });
        }
      }), { numRuns: 5000 });
  });

  it('refuses a huge declared length without allocating for it', () => {
    const list = defineRpc({ name: 'L', module: 1, version: 1, index: 1, request: { l: f.array(f.u32) }, reply: {} });
    expect(() => list.request.decode(Buffer.from([0x91, 0xdd, 0xff, 0xff, 0xff, 0xff])))
      .toThrow(expect.objectContaining({ der: 'PROTO' }));
  });
});

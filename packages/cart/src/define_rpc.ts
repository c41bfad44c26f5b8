import { assert } from '@daos/gurt';

import { BodyReader } from './body_reader.js';
import { BodyWriter } from './body_writer.js';
import { struct, type Field, type MessageOf } from './field.js';
import type { MessageCodec, RpcDef } from './types.js';

export interface RpcSpec<Req, Rep> {
  /** Name in log lines and errors, e.g. `POOL_CONNECT`. */
  readonly name: string;
  /** DAOS's module id, 0..255. */
  readonly module: number;
  /** Version of the module's protocol, 0..255. */
  readonly version: number;
  /** Number of the RPC inside its module, 0..65535. */
  readonly index: number;
  /** Fields of the request in the order in which they travel. */
  readonly request: Req;
  readonly reply: Rep;
}

type Fields = Readonly<Record<string, unknown>>;

/** `module << 24 | version << 16 | index`. */
export function opcodeOf(module: number, version: number, index: number): number {
  assert(module >= 0 && module <= 0xff && version >= 0 && version <= 0xff && index >= 0 && index <= 0xffff,
    `opcode parts ${module}/${version}/${index} out of range`);
  return ((module << 24) | (version << 16) | index) >>> 0;
}

/**
 * Declares an RPC; both halves of a service import the declaration.
 *
 *     export const POOL_QUERY = defineRpc({
 *       name: 'POOL_QUERY', module: 2, version: 7, index: 5,
 *       request: { pool: f.uuid, handle: f.uuid, mapVersion: f.u32 },
 *       reply: { mapVersion: f.u32, map: f.nullable(f.bytes) },
 *     });
 */
export function defineRpc<Req extends Fields, Rep extends Fields>(
  spec: RpcSpec<Req, Rep>,
): RpcDef<MessageOf<Req>, MessageOf<Rep>> {
  return {
    name: spec.name,
    opcode: opcodeOf(spec.module, spec.version, spec.index),
    request: messageCodec(spec.request),
    reply: messageCodec(spec.reply),
  };
}

/** Codec of a message with the given fields; also for values that are stored rather than sent. */
export function messageCodec<M extends Fields>(fields: M): MessageCodec<MessageOf<M>> {
  return codecOf(struct(fields));
}

function codecOf<T>(field: Field<T>): MessageCodec<T> {
  const scratch = new BodyWriter(1024);
  return {
    write: (out, value) => field.write(out, value),
    encode(value) {
      scratch.begin();
      field.write(scratch, value);
      scratch.end();
      const [bytes] = scratch.take();
      assert(bytes, 'a message has at least its array header');
      return bytes;
    },
    decode(bytes) {
      return this.read(BodyReader.of(bytes));
    },
    read(reader) {
      const value = field.read(reader);
      reader.finish();
      return value;
    },
  };
}

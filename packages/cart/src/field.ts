import type { ObjectId, Uuid } from '@daos/common';

import type { BodyReader } from './body_reader.js';
import type { BodyWriter } from './body_writer.js';
import { readUuid, writeUuid } from './uuid_codec.js';

/** How one value of a message travels. */
export interface Field<T> {
  /** Throws DER_INVAL when the value does not fit the type. */
  write(out: BodyWriter, value: T): void;
  /** Throws DER_PROTO for anything but one well-formed value. */
  read(reader: BodyReader): T;
}

export type FieldMap = Readonly<Record<string, Field<never>>>;

type ValueOf<F> = F extends { read(reader: BodyReader): infer T } ? T : never;
type OptionalKeys<M> = { [K in keyof M]: undefined extends ValueOf<M[K]> ? K : never }[keyof M];

/** The object that a map of fields describes. Nullable fields may be left out. */
export type MessageOf<M> = {
  readonly [K in keyof M as K extends OptionalKeys<M> ? never : K]: ValueOf<M[K]>;
} & {
  readonly [K in keyof M as K extends OptionalKeys<M> ? K : never]?: ValueOf<M[K]>;
};

function array<T>(element: Field<T>): Field<readonly T[]> {
  return {
    write(out, values) {
      out.arrayHeader(values.length);
      for (const value of values) element.write(out, value);
    },
    read(reader) {
      const count = reader.arrayLength();
      const values: T[] = [];
      for (let i = 0; i < count; i++) values.push(element.read(reader));
      return values;
    },
  };
}

function nullable<T>(inner: Field<T>): Field<T | undefined> {
  return {
    write(out, value) {
      if (value === undefined) out.nil();
      else inner.write(out, value);
    },
    read: (reader) => (reader.skipNil() ? undefined : inner.read(reader)),
  };
}

/**
 * Compiles a map of fields to an encoder and a decoder of a msgpack array in declared order. The code is generated,
 * so that each message type has call sites and an object shape of its own; through a loop over the fields it would
 * run about four times slower.
 */
export function struct<M extends Readonly<Record<string, unknown>>>(fields: M): Field<MessageOf<M>> {
  const names = Object.keys(fields);
  for (const name of names) {
    if (!/^[A-Za-z][A-Za-z0-9]*$/.test(name)) throw new TypeError(`"${name}" cannot name a field`);
  }
  const codecs = names.map((name) => fields[name]);
  const bind = names.map((_, i) => `const f${i} = codecs[${i}];`).join('\n');
  const writes = names.map((name, i) => `f${i}.write(out, value.${name});`).join('\n');
  const reads = names.map((name, i) => `${name}: f${i}.read(reader),`).join('\n');
  const source = `'use strict';
${bind}
return {
  write(out, value) { out.arrayHeader(${names.length}); ${writes} },
  read(reader) { reader.expectArray(${names.length}); return { ${reads} }; },
};`;
  return new Function('codecs', source)(codecs) as Field<MessageOf<M>>;
}

const OID_BYTES = 16;

/** Types of message fields. */
export const f = {
  bool: { write: (out, value) => out.bool(value), read: (reader) => reader.bool() } as Field<boolean>,
  /** 0 .. 2^32 - 1. */
  u32: { write: (out, value) => out.u32(value), read: (reader) => reader.u32() } as Field<number>,
  /** Any safe integer. */
  int: { write: (out, value) => out.int(value), read: (reader) => reader.int() } as Field<number>,
  /** 0 .. 2^64 - 1 as bigint. */
  u64: { write: (out, value) => out.u64(value), read: (reader) => reader.u64() } as Field<bigint>,
  str: { write: (out, value) => out.str(value), read: (reader) => reader.str() } as Field<string>,
  /** Byte string. Decoded as a view of the received message: copy what is kept for long. */
  bytes: { write: (out, value) => out.bytes(value), read: (reader) => reader.bytes() } as Field<Uint8Array>,
  /** Text in the program, 16 bytes on the wire. */
  uuid: { write: writeUuid, read: readUuid } as Field<Uuid>,
  oid: {
    write(out, value) {
      out.binHeader(OID_BYTES);
      out.view.setBigUint64(out.pos, value.hi);
      out.view.setBigUint64(out.pos + 8, value.lo);
      out.pos += OID_BYTES;
    },
    read(reader) {
      const at = reader.fixedBytes(OID_BYTES);
      const view = reader.viewOf();
      return { hi: view.getBigUint64(at), lo: view.getBigUint64(at + 8) };
    },
  } as Field<ObjectId>,
  array,
  struct,
  /** The value or undefined, which travels as nil. */
  nullable,
};

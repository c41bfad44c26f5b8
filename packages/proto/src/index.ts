import type { BinaryWriter } from '@bufbuild/protobuf/wire';

/** What every generated message offers; lets generic code encode and decode without knowing the message. */
export interface MessageType<T> {
  encode(message: T): BinaryWriter;
  /** Throws `Error` when `bytes` is not a well-formed message. */
  decode(bytes: Uint8Array): T;
  /** Fills what is absent with protobuf's zero values. */
  fromPartial(partial: object): T;
}

/** One unary gRPC method, as `Client.makeUnaryRequest` of grpc-js takes it. */
export interface UnaryMethod<Req, Resp> {
  /** `/<package>.<Service>/<Method>`. */
  readonly path: string;
  readonly requestSerialize: (request: Req) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Resp;
}

/**
 * Declares a method for a client. Importing one generated message file and declaring its methods with this costs a
 * fraction of loading the whole service definition, which matters to a command-line tool.
 */
export function unaryMethod<Req, Resp>(
  path: string,
  request: MessageType<Req>,
  response: MessageType<Resp>,
): UnaryMethod<Req, Resp> {
  return {
    path,
    requestSerialize: (value) => encodeMessage(request, value),
    responseDeserialize: (bytes) => response.decode(bytes),
  };
}

export function encodeMessage<T>(type: MessageType<T>, value: T): Buffer {
  const bytes = type.encode(value).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

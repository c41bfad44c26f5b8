import { DaosError } from '@daos/common';
import { encodeMessage } from '@daos/proto';
import { Call, Response, Status } from '@daos/proto/drpc';

export { Status as DrpcStatus };

/** A request: which method of which module, and its protobuf-encoded argument. */
export interface DrpcCall {
  readonly module: number;
  readonly method: number;
  readonly sequence: bigint;
  readonly body: Uint8Array;
}

/** The answer to the call with the same sequence; -1 answers a call that could not be read. */
export interface DrpcResponse {
  readonly sequence: bigint;
  readonly status: Status;
  readonly body: Uint8Array;
}

export function callEncode(call: DrpcCall): Uint8Array {
  return encodeMessage(Call, { ...call, body: asBuffer(call.body) });
}

/** Throws DER_PROTO for bytes that are not a call. */
export function callDecode(bytes: Uint8Array): DrpcCall {
  return decode('call', () => Call.decode(bytes));
}

export function responseEncode(response: DrpcResponse): Uint8Array {
  return encodeMessage(Response, { ...response, body: asBuffer(response.body) });
}

/** Throws DER_PROTO for bytes that are not a response. */
export function responseDecode(bytes: Uint8Array): DrpcResponse {
  return decode('response', () => Response.decode(bytes));
}

function decode<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new DaosError('PROTO', `not a dRPC ${what}: ${(error as Error).message}`, { cause: error });
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

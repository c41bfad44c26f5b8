import { DaosError, isDaosError } from '@daos/common';
import { getLogger } from '@daos/gurt';
import { encodeMessage, type MessageType } from '@daos/proto';

const log = getLogger('mgmt');

/** One dRPC method of the engine: protobuf bytes in, protobuf bytes out. */
export type DrpcMethod = (body: Uint8Array) => Promise<Uint8Array>;

interface WithStatus {
  status: number;
}

/**
 * Makes a dRPC method of a handler. A `DaosError` that it throws travels in the response's `status`, as DAOS does it: the
 * call itself succeeds. A body that cannot be decoded is DER_PROTO, any other error DER_MISC with a log line.
 */
export function drpcMethod<Req, Resp extends WithStatus>(
  name: string,
  request: { decode(bytes: Uint8Array): Req },
  response: MessageType<Resp>,
  handler: (request: Req) => Promise<Partial<Resp> | undefined>,
): DrpcMethod {
  return async (body) => {
    const failed = (error: DaosError) =>
      encodeMessage(response, response.fromPartial({ status: error.status }));
    let decoded: Req;
    try {
      decoded = request.decode(body);
    } catch (cause) {
      return failed(new DaosError('PROTO', `${name}: request cannot be decoded`, { cause }));
    }
    try {
      const result = await handler(decoded);
      return encodeMessage(response, response.fromPartial({ ...result, status: 0 }));
    } catch (error) {
      log.error(`${name} failed: ${error instanceof Error ? error.message : String(error)}`);
      return failed(isDaosError(error) ? error : new DaosError('MISC', `${name}: ${String(error)}`));
    }
  };
}

import { DaosError, isDaosError } from '@daos/common';
import { RateLimit, getLogger } from '@daos/gurt';
import type { PeerCredentials } from '@daos/native';

import { DrpcStatus, callDecode, responseEncode, type DrpcCall, type DrpcResponse } from './message.js';

const log = getLogger('drpc');

/** Module numbers are small; the table is indexed by them. */
export const MODULE_MAX = 63;
const EMPTY = new Uint8Array(0);
/** A caller can provoke failures at will; each kind is logged so often. */
const LOG_INTERVAL_MS = 1_000;

/**
 * Serves the methods of one module. `body` and the result are protobuf bytes. What it throws becomes the status of
 * the answer: DER_NOSYS "unknown method", DER_PROTO "body not understood", anything else "failure". Failures that
 * the caller should be told about travel inside the result.
 */
export type DrpcHandler = (method: number, body: Uint8Array, peer: PeerCredentials) => Promise<Uint8Array> | Uint8Array;

/** Handlers by module number. */
export class DrpcRegistry {
  private readonly handlers = new Map<number, DrpcHandler>();
  private readonly complaints = new RateLimit(LOG_INTERVAL_MS);

  /** DER_INVAL for a number that no module can have, DER_EXIST when it is taken: the first handler stays. */
  register(module: number, handler: DrpcHandler): void {
    checkModule(module);
    if (this.handlers.has(module)) throw new DaosError('EXIST', `dRPC module ${module} already has a handler`);
    this.handlers.set(module, handler);
  }

  /** Does nothing when the module has no handler. */
  unregister(module: number): void {
    checkModule(module);
    this.handlers.delete(module);
  }

  handlerOf(module: number): DrpcHandler | undefined {
    return this.handlers.get(module);
  }

  /** Answers one encoded call with an encoded response. Never throws. */
  async process(message: Uint8Array, peer: PeerCredentials): Promise<{ response: Uint8Array; isReadable: boolean }> {
    let call: DrpcCall;
    try {
      call = callDecode(message);
    } catch {
      return { response: unreadableCall(), isReadable: false };
    }
    const { status, body } = await this.run(call, peer);
    return { response: responseEncode({ sequence: call.sequence, status, body }), isReadable: true };
  }

  private complain(call: DrpcCall, error: unknown): void {
    const text = error instanceof Error ? (isDaosError(error) ? error.message : error.stack) : String(error);
    this.complaints.run(`${call.module}.${call.method}`, (suppressed) => {
      const more = suppressed > 0 ? ` (and ${suppressed} failures before)` : '';
      log.error(`dRPC module ${call.module} method ${call.method} failed: ${text}${more}`);
    });
  }

  private async run(call: DrpcCall, peer: PeerCredentials): Promise<Omit<DrpcResponse, 'sequence'>> {
    const handler = this.handlers.get(call.module);
    if (!handler) return { status: DrpcStatus.UNKNOWN_MODULE, body: EMPTY };
    try {
      return { status: DrpcStatus.SUCCESS, body: await handler(call.method, call.body, peer) };
    } catch (error) {
      this.complain(call, error);
      return { status: statusOf(error), body: EMPTY };
    }
  }
}

/** The answer to bytes that are not a call. */
export function unreadableCall(): Uint8Array {
  return responseEncode({ sequence: -1n, status: DrpcStatus.FAILED_UNMARSHAL_CALL, body: EMPTY });
}

function statusOf(error: unknown): DrpcStatus {
  if (isDaosError(error, 'NOSYS')) return DrpcStatus.UNKNOWN_METHOD;
  if (isDaosError(error, 'PROTO')) return DrpcStatus.FAILED_UNMARSHAL_PAYLOAD;
  return DrpcStatus.FAILURE;
}

function checkModule(module: number): void {
  if (!Number.isInteger(module) || module < 0 || module > MODULE_MAX) {
    throw new DaosError('INVAL', `${module} is not a dRPC module number`);
  }
}

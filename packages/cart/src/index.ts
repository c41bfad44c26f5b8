export { tagAddress, uriOf, type Address } from './address.js';
export { CartContext, cartClient, cartListen, type CartListenOptions, type CartOptions } from './context.js';
export { defineRpc, messageCodec, opcodeOf, type RpcSpec } from './define_rpc.js';
export { f, type Field, type MessageOf } from './field.js';
export {
  TAG_SWIM,
  TAG_SYSTEM,
  targetTag,
  type CallOptions,
  type CallResult,
  type Endpoint,
  type GroupMember,
  type MessageCodec,
  type RpcCaller,
  type RpcDef,
  type RpcHandler,
  type RpcReply,
  type RpcRequest,
} from './types.js';
export { NO_RANK } from './frame.js';
export { DATA_BYTES_MAX, INLINE_BYTES_MAX } from './limits.js';

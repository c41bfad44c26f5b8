/** Limits of the wire. Reaching one gives a defined error or back-pressure. */

/** Largest message body. Object data travels behind the body, so bodies stay small; pool maps are the largest. */
export const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** Largest byte or text string inside a body. */
export const STRING_BYTES_MAX = BODY_BYTES_MAX;
/** Request data up to this length rides behind the body; more is pulled by the receiver. */
export const INLINE_BYTES_MAX = 128 * 1024;
/** Largest data of one request or reply. */
export const DATA_BYTES_MAX = 64 * 1024 * 1024;
/** One piece of a bulk transfer: other RPCs of the connection get their turn between pieces. */
export const BULK_PIECE_BYTES = 1024 * 1024;
/** Pieces of one bulk transfer that are asked for at a time. */
export const BULK_PIECES_IN_FLIGHT = 4;
/** Memory of one context for pulled data; requests beyond it wait their turn. */
export const BULK_BUDGET_BYTES = 256 * 1024 * 1024;
/** Memory of one context for requests whose data came inline; beyond it, connections are not read. */
export const INBOUND_BYTES_MAX = 256 * 1024 * 1024;

/** Calls on the wire per connection (CRT_CREDIT_EP_CTX); the others wait in order. */
export const IN_FLIGHT_DEFAULT = 256;
export const IN_FLIGHT_MAX = 4096;
/** Calls that may wait for a connection; one more fails with DER_QUOTA_LIMIT. */
export const QUEUE_MAX = 65_536;
/** Requests of one connection that are being served; beyond it, the connection is not read. */
export const SERVING_MAX = 2 * IN_FLIGHT_MAX;
/** Unsent bytes of a connection at which it takes no more work. */
export const UNSENT_BYTES_HIGH = 8 * 1024 * 1024;
export const CONNECTIONS_MAX = 16_384;

export const TIMEOUT_DEFAULT_MS = 60_000;
export const TIMEOUT_MAX_MS = 3_600_000;
export const CONNECT_TIMEOUT_MS = 10_000;
export const HELLO_TIMEOUT_MS = 10_000;
/** Text of an error that travels. */
export const ERROR_TEXT_MAX = 1024;

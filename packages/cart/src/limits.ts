/** Limits of the wire. Reaching one gives a defined error or back-pressure. */

/** Largest message body. Object data travels behind the body, so bodies stay small; pool maps are the largest. */
export const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** Largest byte or text string inside a body. */
export const STRING_BYTES_MAX = BODY_BYTES_MAX;

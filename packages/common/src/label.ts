import { isUuid } from './uuid.js';

const LABEL_LENGTH_MAX = 127;

/** Texts that stand for "no label" in stored metadata. */
export const POOL_LABEL_NOT_SET = 'pool_label_not_set';
export const CONTAINER_LABEL_NOT_SET = 'container_label_not_set';

/** True when `text` may name a pool or container: 1-127 of letters, digits, `:._-`; not a UUID; not reserved. */
export function isLabel(text: string): boolean {
  return (
    text.length <= LABEL_LENGTH_MAX &&
    /^[\w:.-]+$/.test(text) &&
    !isUuid(text) &&
    text !== POOL_LABEL_NOT_SET &&
    text !== CONTAINER_LABEL_NOT_SET
  );
}

import { isUuid } from '@daos/common';

const LABEL_LENGTH_MAX = 127;
/** Text that stands for "no label" in stored metadata and can therefore be nobody's label. */
const RESERVED = new Set(['pool_label_not_set', 'container_label_not_set']);

/** True when `text` may name a pool or container: 1-127 letters, digits, `:._-`; not a UUID; not reserved. */
export function isLabel(text: string): boolean {
  return text.length <= LABEL_LENGTH_MAX && /^[\w:.-]+$/.test(text) && !isUuid(text) && !RESERVED.has(text);
}

/** True when `text` can be a "label or UUID" argument. */
export function isLabelOrUuid(text: string): boolean {
  return isUuid(text) || isLabel(text);
}

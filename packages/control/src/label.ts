import { isLabel, isUuid } from '@daos/common';

export { isLabel };

/** True when `text` can be a "label or UUID" argument. */
export function isLabelOrUuid(text: string): boolean {
  return isUuid(text) || isLabel(text);
}

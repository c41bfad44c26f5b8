import { isDaosError } from '@daos/common';

import type { Container } from '../container_state.js';
import { AkeyHead, ObjectHead, type Head } from '../layout/head.js';
import { Space } from '../layout/spaces.js';
import type { HoldKind } from '../object_holds.js';
import { isChildless } from './rows.js';
import type { Work } from './work.js';

/** Removes a head whose log is empty when nothing is left below it. */
export function removeIfEmpty(container: Container, head: Head): void {
  if (head instanceof AkeyHead) {
    if (head.values.length > 0 || head.isSpilled) return;
  } else if (!isChildless(container.store, head instanceof ObjectHead ? Space.DKEY : Space.AKEY, head.no)) return;
  container.detach(head);
}

/** Waits until nobody else holds the object. The result ends the hold. */
export async function holdObject({ container, pacer }: Work, objectNo: number, kind: HoldKind): Promise<() => void> {
  for (;;) {
    try {
      return container.holds.hold(objectNo, kind);
    } catch (error) {
      if (!isDaosError(error, 'BUSY')) throw error;
      await pacer.rest();
    }
  }
}

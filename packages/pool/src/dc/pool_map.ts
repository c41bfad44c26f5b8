/** Until the class of @daos/common is there. */
export interface PoolMap {
  readonly version: number;
  encode(): Uint8Array;
}

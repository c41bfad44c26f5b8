import { Crc64, jumpHash } from '@daos/common';

/** Layout versions: 2 mixes keys over 24 bytes, 1 (kept to read older pools) over 8 with a short seed. */
export const LAYOUT_VERSION = 2;

const MIX_SEED = 0xbabecafe;
const OBJECT_SALT = 0xbabeface;
const REBUILD_SALT = 0xdead2bad;
const PERF_SALT = 0xcafebabe;

/** A 64-bit key in two signed halves, changed in place: one layout mixes thousands of them. */
export class LayoutKey {
  hi = 0;
  lo = 0;
  private readonly crc = new Crc64();

  copy(other: LayoutKey): void {
    this.hi = other.hi;
    this.lo = other.lo;
  }

  /** key = CRC of (a, b, c), three 64-bit numbers; `c` has 32 bits. */
  private mix(aHi: number, aLo: number, bHi: number, bLo: number, c: number): void {
    const crc = this.crc.begin(MIX_SEED).word(aHi, aLo).word(bHi, bLo).word(0, c).end();
    this.hi = crc.hi;
    this.lo = crc.lo;
  }

  /** key = CRC of (key, b, c) with 32-bit numbers b and c. */
  mixWith(other: LayoutKey, b: number, c: number): void {
    this.mix(other.hi, other.lo, 0, b, c);
  }

  /** key = CRC of another key, started from a 32-bit seed (layout version 1). */
  seedWith(other: LayoutKey, seed: number): void {
    const crc = this.crc.begin(seed).word(other.hi, other.lo).end();
    this.hi = crc.hi;
    this.lo = crc.lo;
  }

  /** Key that the shards of an object start from. */
  ofObject(oidHiHi: number, oidHiLo: number, oidLoHi: number, oidLoLo: number, layoutVersion: number): void {
    if (layoutVersion >= 2) {
      this.mix(oidHiHi, oidHiLo, oidLoHi, oidLoLo, OBJECT_SALT);
      return;
    }
    this.hi = oidHiHi ^ oidLoHi;
    this.lo = oidHiLo ^ oidLoLo;
  }

  /** Key that spares for failed shards start from (layout version 2). */
  ofRebuild(oidHiHi: number, oidHiLo: number, oidLoHi: number, oidLoLo: number): void {
    this.mix(oidLoHi, oidLoLo, oidHiHi, oidHiLo, REBUILD_SALT);
  }

  /** Next key of the walk that chooses performance domains. */
  nextPerfDomain(index: number, layoutVersion: number): void {
    if (layoutVersion >= 2) this.mixWith(this, index, PERF_SALT);
    else this.seedWith(this, index);
  }

  jump(buckets: number): number {
    return jumpHash(this.hi, this.lo, buckets);
  }
}

/**
 * The keys by which one shard chooses among the children of one domain: the CRC of (key, shard, collisions) for
 * 0, 1, 2, ... collisions. What the first two numbers contribute is computed once (layout version 2).
 */
export class CollisionKey {
  private readonly crc = new Crc64();
  private prefixHi = 0;
  private prefixLo = 0;

  begin(key: LayoutKey, shard: number): void {
    const { hi, lo } = this.crc.begin(MIX_SEED).word(key.hi, key.lo).word(0, shard);
    this.prefixHi = hi;
    this.prefixLo = lo;
  }

  /** Child, 0 .. children-1, after a number of collisions. */
  jump(collisions: number, children: number): number {
    const { crc } = this;
    crc.hi = this.prefixHi;
    crc.lo = this.prefixLo;
    crc.word(0, collisions).end();
    return jumpHash(crc.hi, crc.lo, children);
  }
}

import {
  AccessType,
  Permission,
  PrincipalType,
  aceFault,
  aceFormat,
  aceParse,
  acePrincipalText,
  principalIsValid,
  type AclEntry,
} from './acl_entry.js';
import { DaosError } from './error.js';

const ACL_VERSION = 1;
const HEADER_BYTES = 8;
const ENTRY_BYTES = 32;
/** Most bytes of all entries of a list. */
const ENTRIES_BYTES_MAX = 65536;

/**
 * Access control list: valid entries ordered by kind of principal (owner, users, owner group, groups, everyone), in
 * order of addition within a kind, at most one per principal. Immutable.
 */
export class Acl {
  private constructor(readonly entries: readonly AclEntry[]) {}

  /** Throws DER_INVAL for an invalid entry, two for one principal, or too many. */
  static of(entries: readonly AclEntry[]): Acl {
    const sorted = [...entries].sort((a, b) => a.principalType - b.principalType);
    const seen = new Set<string>();
    let bytes = 0;
    for (const entry of sorted) {
      const fault = aceFault(entry);
      if (fault !== undefined) throw new DaosError('INVAL', `invalid access control entry: ${fault}`);
      const key = `${entry.principalType}:${entry.principal}`;
      if (seen.has(key)) throw new DaosError('INVAL', `more than one access control entry for ${acePrincipalText(entry)}`);
      seen.add(key);
      bytes += entryBytes(entry);
    }
    if (bytes > ENTRIES_BYTES_MAX) throw new DaosError('INVAL', `access control list exceeds ${ENTRIES_BYTES_MAX} bytes`);
    return new Acl(sorted);
  }

  /** List of entries in text form. Throws DER_INVAL when there is none, or as `aceParse` and `of`. */
  static parse(texts: readonly string[]): Acl {
    if (texts.length === 0) throw new DaosError('INVAL', 'an access control list needs at least one entry');
    return Acl.of(texts.map(aceParse));
  }

  /** List without entries: nobody but the administrator may do anything. */
  static readonly empty = new Acl([]);

  format(): string[] {
    return this.entries.map(aceFormat);
  }

  find(principalType: number, principal = ''): AclEntry | undefined {
    return this.entries.find((entry) => entry.principalType === principalType && entry.principal === principal);
  }

  /** Adds entries; one for a principal that has one replaces it in place. Throws as `of`. */
  with(added: readonly AclEntry[]): Acl {
    const entries = [...this.entries];
    for (const entry of added) {
      const same = (other: AclEntry): boolean =>
        other.principalType === entry.principalType && other.principal === entry.principal;
      const at = entries.findIndex(same);
      if (at >= 0) entries[at] = entry;
      else entries.push(entry);
    }
    return Acl.of(entries);
  }

  /** Removes a principal's entry. Throws DER_NONEXIST when it has none. */
  without(principalType: number, principal = ''): Acl {
    const entry = this.find(principalType, principal);
    if (!entry) {
      const text = acePrincipalText({ principalType, principal });
      throw new DaosError('NONEXIST', `no access control entry for ${text}`);
    }
    return new Acl(this.entries.filter((other) => other !== entry));
  }

  /** Stored form. */
  encode(): Buffer {
    const length = this.entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
    const out = Buffer.alloc(HEADER_BYTES + length);
    out.writeUInt16LE(ACL_VERSION, 0);
    out.writeUInt32LE(length, 4);
    let at = HEADER_BYTES;
    for (const entry of this.entries) {
      const named = entry.principal !== '';
      out.writeUInt8(entry.accessTypes, at);
      out.writeUInt8(entry.principalType, at + 1);
      out.writeUInt16LE(named ? nameBytes(entry.principal) : 0, at + 2);
      out.writeUInt16LE(entry.flags, at + 4);
      out.writeBigUInt64LE(BigInt(entry.allow), at + 8);
      out.writeBigUInt64LE(BigInt(entry.audit), at + 16);
      out.writeBigUInt64LE(BigInt(entry.alarm), at + 24);
      out.write(entry.principal, at + ENTRY_BYTES);
      at += entryBytes(entry);
    }
    return out;
  }

  /** Reads the stored form. Throws DER_INVAL when it is damaged or its entries are not in order. */
  static decode(bytes: Uint8Array): Acl {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (buffer.length < HEADER_BYTES || buffer.readUInt16LE(0) !== ACL_VERSION) throw damaged('header');
    const length = buffer.readUInt32LE(4);
    if (length !== buffer.length - HEADER_BYTES || length > ENTRIES_BYTES_MAX || length % 8 !== 0) throw damaged('length');
    const entries: AclEntry[] = [];
    for (let at = HEADER_BYTES; at < buffer.length; ) {
      if (at + ENTRY_BYTES > buffer.length) throw damaged('last entry');
      const nameLength = buffer.readUInt16LE(at + 2);
      if (nameLength % 8 !== 0 || at + ENTRY_BYTES + nameLength > buffer.length) throw damaged('principal');
      entries.push(readEntry(buffer, at, nameLength));
      at += ENTRY_BYTES + nameLength;
    }
    const acl = Acl.of(entries);
    if (acl.entries.some((entry, i) => entry !== entries[i])) throw damaged('order of entries');
    return acl;
  }
}

function readEntry(buffer: Buffer, at: number, nameLength: number): AclEntry {
  const name = buffer.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameLength);
  const end = nameLength === 0 ? 0 : name.indexOf(0);
  if (end < 0) throw damaged('principal');
  const word = (offset: number): number => {
    const bits = buffer.readBigUInt64LE(at + offset);
    if (bits > 0xffff_ffffn) throw damaged('permissions');
    return Number(bits);
  };
  return {
    accessTypes: buffer.readUInt8(at),
    principalType: buffer.readUInt8(at + 1),
    principal: name.toString('utf8', 0, end),
    flags: buffer.readUInt16LE(at + 4),
    allow: word(8),
    audit: word(16),
    alarm: word(24),
  };
}

/** Bytes of a name with its terminator, padded to 8. */
function nameBytes(name: string): number {
  return Math.ceil((Buffer.byteLength(name) + 1) / 8) * 8;
}

function entryBytes(entry: AclEntry): number {
  return ENTRY_BYTES + (entry.principal === '' ? 0 : nameBytes(entry.principal));
}

function damaged(part: string): DaosError {
  return new DaosError('INVAL', `access control list: damaged ${part}`);
}

/**
 * Principal of an entry to remove: `OWNER@`, `GROUP@`, `EVERYONE@`, `u:name@` or `g:name@`.
 * Throws DER_INVAL for anything else.
 */
export function aclPrincipalParse(text: string): { principalType: number; principal: string } {
  if (text === 'OWNER@') return { principalType: PrincipalType.OWNER, principal: '' };
  if (text === 'GROUP@') return { principalType: PrincipalType.OWNER_GROUP, principal: '' };
  if (text === 'EVERYONE@') return { principalType: PrincipalType.EVERYONE, principal: '' };
  const principal = text.slice(2);
  if (/^[ug]:/i.test(text) && principalIsValid(principal)) {
    const isGroup = text.charAt(0).toLowerCase() === 'g';
    return { principalType: isGroup ? PrincipalType.GROUP : PrincipalType.USER, principal };
  }
  throw new DaosError('INVAL', `invalid principal "${text}"; expected OWNER@, GROUP@, EVERYONE@, u:NAME@ or g:NAME@`);
}

/** List of a pool that names none. */
export const ACL_POOL_DEFAULT = Acl.parse(['A::OWNER@:rw', 'A:G:GROUP@:rw']);
/** List of a container that names none. */
export const ACL_CONTAINER_DEFAULT = Acl.parse(['A::OWNER@:rwdtTaAo', 'A:G:GROUP@:rwtT']);

/** Who owns a pool or container, as `name@`. */
export interface Ownership {
  readonly user: string;
  readonly group: string;
}

/** Who asks; `groups` includes the primary group. */
export interface Requester {
  readonly user: string;
  readonly groups: readonly string[];
}

/**
 * `Permission` bits that a list grants: the first kind of principal that matches decides, groups together count as one
 * kind. Without a list there are none.
 */
export function aclPermissions(acl: Acl | undefined, owner: Ownership, requester: Requester): number {
  if (!acl) return 0;
  const ofOwner = requester.user === owner.user ? acl.find(PrincipalType.OWNER) : undefined;
  const ofUser = ofOwner ?? acl.find(PrincipalType.USER, requester.user);
  if (ofUser) return allowed(ofUser);
  const ofGroups = acl.entries.filter(
    (entry) =>
      (entry.principalType === PrincipalType.OWNER_GROUP && requester.groups.includes(owner.group)) ||
      (entry.principalType === PrincipalType.GROUP && requester.groups.includes(entry.principal)),
  );
  if (ofGroups.length > 0) return ofGroups.reduce((bits, entry) => bits | allowed(entry), 0);
  const ofEveryone = acl.find(PrincipalType.EVERYONE);
  return ofEveryone ? allowed(ofEveryone) : 0;
}

/** As `aclPermissions`, for a container: its owner can always see and mend the list. */
export function aclContainerPermissions(acl: Acl | undefined, owner: Ownership, requester: Requester): number {
  const bits = aclPermissions(acl, owner, requester);
  return requester.user === owner.user ? bits | Permission.GET_ACL | Permission.SET_ACL : bits;
}

function allowed(entry: AclEntry): number {
  return entry.accessTypes & AccessType.ALLOW ? entry.allow : 0;
}

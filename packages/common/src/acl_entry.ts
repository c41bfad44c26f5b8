import { DaosError } from './error.js';

/** What an entry does (bits). */
export const AccessType = { ALLOW: 1, AUDIT: 2, ALARM: 4 } as const;

/** Whom an entry is about; entries of a list stand in this order. */
export const PrincipalType = { OWNER: 0, USER: 1, OWNER_GROUP: 2, GROUP: 3, EVERYONE: 4 } as const;

/** Flags of an entry (bits). */
export const AceFlag = { GROUP: 1, POOL_INHERIT: 2, ACCESS_FAILURE: 4, ACCESS_SUCCESS: 8 } as const;

/** Permissions (bits), in the order in which their letters are printed. */
export const Permission = {
  READ: 0x1,
  WRITE: 0x2,
  CREATE_CONT: 0x4,
  DEL_CONT: 0x8,
  GET_PROP: 0x10,
  SET_PROP: 0x20,
  GET_ACL: 0x40,
  SET_ACL: 0x80,
  SET_OWNER: 0x100,
} as const;

/** One entry of an access control list. The three words hold `Permission` bits. */
export interface AclEntry {
  readonly accessTypes: number;
  readonly principalType: number;
  /** `name@` or `name@domain` for users and groups, empty for the special principals. */
  readonly principal: string;
  readonly flags: number;
  readonly allow: number;
  readonly audit: number;
  readonly alarm: number;
}

interface Letter {
  readonly letter: string;
  readonly bit: number;
  readonly verbose: string;
}

const ACCESS_LETTERS: readonly Letter[] = [
  { letter: 'A', bit: AccessType.ALLOW, verbose: 'Allow' },
  { letter: 'U', bit: AccessType.AUDIT, verbose: 'Audit' },
  { letter: 'L', bit: AccessType.ALARM, verbose: 'Alarm' },
];
const FLAG_LETTERS: readonly Letter[] = [
  { letter: 'G', bit: AceFlag.GROUP, verbose: 'Group' },
  { letter: 'S', bit: AceFlag.ACCESS_SUCCESS, verbose: 'Access-Success' },
  { letter: 'F', bit: AceFlag.ACCESS_FAILURE, verbose: 'Access-Failure' },
  { letter: 'P', bit: AceFlag.POOL_INHERIT, verbose: '' },
];
const PERMISSION_LETTERS: readonly Letter[] = [
  { letter: 'r', bit: Permission.READ, verbose: 'Read' },
  { letter: 'w', bit: Permission.WRITE, verbose: 'Write' },
  { letter: 'c', bit: Permission.CREATE_CONT, verbose: 'Create-Container' },
  { letter: 'd', bit: Permission.DEL_CONT, verbose: 'Delete-Container' },
  { letter: 't', bit: Permission.GET_PROP, verbose: 'Get-Prop' },
  { letter: 'T', bit: Permission.SET_PROP, verbose: 'Set-Prop' },
  { letter: 'a', bit: Permission.GET_ACL, verbose: 'Get-ACL' },
  { letter: 'A', bit: Permission.SET_ACL, verbose: 'Set-ACL' },
  { letter: 'o', bit: Permission.SET_OWNER, verbose: 'Set-Owner' },
];
const SPECIAL_PRINCIPALS = new Map<string, { readonly type: number; readonly verbose: string }>([
  ['OWNER@', { type: PrincipalType.OWNER, verbose: 'Owner' }],
  ['GROUP@', { type: PrincipalType.OWNER_GROUP, verbose: 'Owner-Group' }],
  ['EVERYONE@', { type: PrincipalType.EVERYONE, verbose: 'Everyone' }],
]);
const SPECIAL_NAMES = new Map([...SPECIAL_PRINCIPALS].map(([name, { type }]) => [type, name]));

const ACE_TEXT_MAX = 319;
const PRINCIPAL_MAX = 255;
const ALL_PERMISSIONS = PERMISSION_LETTERS.reduce((mask, { bit }) => mask | bit, 0);
const ALL_ACCESS = AccessType.ALLOW | AccessType.AUDIT | AccessType.ALARM;
const ALL_FLAGS = FLAG_LETTERS.reduce((mask, { bit }) => mask | bit, 0);

/** True for `name@` and `name@domain`: 1 to 255 bytes, exactly one `@`, not first. */
export function principalIsValid(name: string): boolean {
  const at = name.indexOf('@');
  return at > 0 && at === name.lastIndexOf('@') && Buffer.byteLength(name) <= PRINCIPAL_MAX && !name.includes('\0');
}

function invalid(text: string, why: string): DaosError {
  return new DaosError('INVAL', `invalid access control entry "${text}": ${why}`);
}

/** Parses `TYPES:FLAGS:PRINCIPAL:PERMS`. Throws DER_INVAL that names the entry and the fault. */
export function aceParse(text: string): AclEntry {
  const fields = text.split(':');
  const [types, flagText, name, permissionText] = fields;
  if (text.length > ACE_TEXT_MAX) throw invalid(text, `longer than ${ACE_TEXT_MAX} characters`);
  if (fields.length !== 4 || types === undefined || flagText === undefined || name === undefined || permissionText === undefined) {
    throw invalid(text, 'expected TYPES:FLAGS:PRINCIPAL:PERMISSIONS');
  }
  const accessTypes = parseLetters(text, types, ACCESS_LETTERS, 'access type');
  const flags = parseLetters(text, flagText, FLAG_LETTERS, 'flag');
  const permissions = parseLetters(text, permissionText, PERMISSION_LETTERS, 'permission');
  const special = SPECIAL_PRINCIPALS.get(name);
  const named = flags & AceFlag.GROUP ? PrincipalType.GROUP : PrincipalType.USER;
  const entry: AclEntry = {
    accessTypes,
    principalType: special ? special.type : named,
    principal: special ? '' : name,
    flags,
    allow: accessTypes & AccessType.ALLOW ? permissions : 0,
    audit: accessTypes & AccessType.AUDIT ? permissions : 0,
    alarm: accessTypes & AccessType.ALARM ? permissions : 0,
  };
  const fault = aceFault(entry);
  if (fault !== undefined) throw invalid(text, fault);
  return entry;
}

function parseLetters(text: string, field: string, letters: readonly Letter[], what: string): number {
  let bits = 0;
  for (const letter of field) {
    const known = letters.find((candidate) => candidate.letter === letter);
    if (!known) throw invalid(text, `unknown ${what} "${letter}"`);
    bits |= known.bit;
  }
  return bits;
}

/** What is wrong with an entry, or undefined when it is valid. */
export function aceFault(entry: AclEntry): string | undefined {
  const { accessTypes, principalType, principal, flags } = entry;
  if (accessTypes === 0 || accessTypes & ~ALL_ACCESS) return 'needs at least one of the access types A, U, L';
  if (flags & ~ALL_FLAGS) return 'has unknown flags';
  if ((entry.allow | entry.audit | entry.alarm) & ~ALL_PERMISSIONS) return 'has unknown permissions';
  if (!(accessTypes & AccessType.ALLOW) && entry.allow) return 'has permissions of an access type that is not set';
  if (!(accessTypes & AccessType.AUDIT) && entry.audit) return 'has permissions of an access type that is not set';
  if (!(accessTypes & AccessType.ALARM) && entry.alarm) return 'has permissions of an access type that is not set';
  if (principalType < PrincipalType.OWNER || principalType > PrincipalType.EVERYONE) return 'has an unknown principal type';
  const isNamed = principalType === PrincipalType.USER || principalType === PrincipalType.GROUP;
  if (isNamed ? !principalIsValid(principal) : principal !== '') return 'expected a principal NAME@ or NAME@DOMAIN';
  const isGroup = principalType === PrincipalType.GROUP || principalType === PrincipalType.OWNER_GROUP;
  if (isGroup !== ((flags & AceFlag.GROUP) !== 0)) return isGroup ? 'a group needs flag G' : 'flag G is for groups only';
  const watched = (accessTypes & (AccessType.AUDIT | AccessType.ALARM)) !== 0;
  if (watched !== ((flags & (AceFlag.ACCESS_SUCCESS | AceFlag.ACCESS_FAILURE)) !== 0)) {
    return watched ? 'audit and alarm need flag S or F' : 'flags S and F are for audit and alarm only';
  }
  return undefined;
}

function formatLetters(bits: number, letters: readonly Letter[]): string {
  return letters.map(({ letter, bit }) => (bits & bit ? letter : '')).join('');
}

/** Principal as it stands in text. */
export function acePrincipalText(entry: Pick<AclEntry, 'principalType' | 'principal'>): string {
  return SPECIAL_NAMES.get(entry.principalType) ?? entry.principal;
}

/** Text of an entry. Throws DER_INVAL when its access types carry different permissions: text cannot say that. */
export function aceFormat(entry: AclEntry): string {
  const words = [
    entry.accessTypes & AccessType.ALLOW ? entry.allow : undefined,
    entry.accessTypes & AccessType.AUDIT ? entry.audit : undefined,
    entry.accessTypes & AccessType.ALARM ? entry.alarm : undefined,
  ].filter((word) => word !== undefined);
  const permissions = words[0] ?? 0;
  if (words.some((word) => word !== permissions)) {
    throw new DaosError('INVAL', 'an entry whose access types have different permissions has no text form');
  }
  const types = formatLetters(entry.accessTypes, ACCESS_LETTERS);
  const flags = formatLetters(entry.flags, FLAG_LETTERS);
  return `${types}:${flags}:${acePrincipalText(entry)}:${formatLetters(permissions, PERMISSION_LETTERS)}`;
}

/**
 * Words for an entry's text, e.g. `Allow:Group:team@:Read/Write`; letters keep the order of the text.
 * Throws DER_INVAL for text without such a form.
 */
export function aceVerbose(text: string): string {
  aceParse(text);
  const [types = '', flags = '', name = '', permissions = ''] = text.split(':');
  const words = (field: string, letters: readonly Letter[]): string =>
    [...field]
      .map((letter) => {
        const verbose = letters.find((candidate) => candidate.letter === letter)?.verbose ?? '';
        if (verbose === '') throw invalid(text, `"${letter}" has no verbose form`);
        return verbose;
      })
      .join('/');
  const principal = SPECIAL_PRINCIPALS.get(name)?.verbose ?? name;
  const access = permissions === '' ? 'No-Access' : words(permissions, PERMISSION_LETTERS);
  return `${words(types, ACCESS_LETTERS)}:${words(flags, FLAG_LETTERS)}:${principal}:${access}`;
}

import { RpcStatusError } from '@daos/control';

import { faultIncompatible, faultIncompatibleInsecure } from '../faults.js';

export type Component = 'server' | 'admin' | 'agent' | 'client';

const COMPONENTS: readonly string[] = ['server', 'admin', 'agent', 'client'];
const GRPC_INVALID_ARGUMENT = 3;
const GRPC_PERMISSION_DENIED = 7;
/** Agents may be this many minor versions away. */
const AGENT_MINOR_DISTANCE = 2;

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

export interface VersionedComponent {
  readonly component: Component;
  readonly version: Version;
}

const VERSION_ZERO: Version = { major: 0, minor: 0, patch: 0 };
const VERSION_TWO: Version = { major: 2, minor: 0, patch: 0 };

/** Parses `major.minor.patch`; a `v` before it and a `-suffix` behind it are tolerated. */
export function parseVersion(text: string): Version | undefined {
  const match = /^v?(\d+)\.(\d+)\.(\d+)(?:-.*)?$/.exec(text);
  if (!match) return undefined;
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3]) };
}

/**
 * Splits `<system name>-<version>`. Only a suffix that reads as a version, behind the last `-`, is a version: system
 * names may hold `-` themselves.
 */
export function splitSystemName(sys: string): { name: string; version: Version | undefined } {
  const dash = sys.lastIndexOf('-');
  const version = dash < 0 ? undefined : parseVersion(sys.slice(dash + 1));
  return version ? { name: sys.slice(0, dash), version } : { name: sys, version: undefined };
}

export interface VersionCheckInput {
  readonly self: Version;
  /** True when the connection uses certificates. */
  readonly secure: boolean;
  /** Component named by the peer's certificate. */
  readonly peerComponent: Component | undefined;
  /** Headers `x-daos-component` and `x-daos-version`; both or none count. */
  readonly componentHeader: string | undefined;
  readonly versionHeader: string | undefined;
  /** The request's `sys` field; undefined when the message has none. */
  readonly sys: string | undefined;
}

/** Refuses a caller whose version cannot work with ours. Throws a fault (616, 617) or a gRPC status. */
export function checkVersion(input: VersionCheckInput): void {
  const { self, secure } = input;
  if (compareVersions(self, VERSION_ZERO) === 0) throw new Error('own version (self) is not set');
  let component: Component | undefined = secure ? input.peerComponent : 'server';
  let version: Version;
  if (input.componentHeader !== undefined && input.versionHeader !== undefined) {
    const named = headerComponent(input.componentHeader);
    version = parseVersion(input.versionHeader) ?? VERSION_ZERO;
    if (secure && named !== component) {
      throw new RpcStatusError(
        GRPC_PERMISSION_DENIED,
        `component mismatch (req: ${named} != cert: ${component ?? 'undefined'})`,
      );
    }
    component = named;
  } else if (input.sys !== undefined) {
    version = splitSystemName(input.sys).version ?? VERSION_ZERO;
    if (!secure && compareVersions(version, self) !== 0) {
      throw faultIncompatibleInsecure(
        describe({ component: 'server', version: self }),
        describe({ component: component ?? 'server', version }),
      );
    }
  } else return;
  const other = component && { component, version };
  if (!other || !isCompatible({ component: 'server', version: self }, other)) {
    throw faultIncompatible(
      describe({ component: 'server', version: self }),
      other ? describe(other) : 'an undefined component',
    );
  }
}

function headerComponent(text: string): Component {
  if (!COMPONENTS.includes(text)) {
    throw new RpcStatusError(GRPC_INVALID_ARGUMENT, `invalid component "${text}"`);
  }
  return text as Component;
}

/** The standing rules of interoperability, in order. */
export function isCompatible(self: VersionedComponent, other: VersionedComponent): boolean {
  const [a, b] = [self.version, other.version];
  if (compareVersions(a, b) === 0) return true;
  if (self.component === 'server' && other.component === 'agent') {
    return a.major === b.major && Math.abs(a.minor - b.minor) <= AGENT_MINOR_DISTANCE;
  }
  if (compareVersions(a, VERSION_TWO) >= 0 && compareVersions(b, VERSION_TWO) < 0) return false;
  return a.major === b.major && a.minor === b.minor;
}

function compareVersions(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch;
}

function describe(side: VersionedComponent): string {
  const { major, minor, patch } = side.version;
  return `${side.component} ${major}.${minor}.${patch}`;
}

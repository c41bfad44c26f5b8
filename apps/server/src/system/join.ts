import { DaosError, isUuid } from '@daos/common';
import type { JoinReq } from '@daos/proto/mgmt/svc';

import { FaultDomain } from '../config/fault_domain.js';
import { faultDomainDepth, faultMemberExists } from '../faults.js';
import { RANK_NONE, type Member } from './member.js';
import { SystemOp, type SystemChange, type SystemState } from './system_state.js';

/** Attribute that holds the fabric providers of the system; the first member sets it. */
export const ATTR_PROVIDERS = 'mgmt.fabric_providers';

const ADDRESS_RE = /^[^:]+:\d+$/;

export interface JoinPlan {
  readonly change: SystemChange;
  readonly rank: number;
  readonly isNew: boolean;
}

/** Provider part of a fabric URI: `ofi+tcp` of `ofi+tcp://10.0.0.1:31416`. */
export function providerOfUri(uri: string): string {
  const end = uri.indexOf('://');
  if (end <= 0) throw new DaosError('INVAL', `"${uri}" is not a fabric URI`);
  return uri.slice(0, end);
}

/** A request with the caller's IP address in place of the wildcard. DER_INVAL for what is no address. */
export function joinAddress(address: string, peer: string): string {
  if (!ADDRESS_RE.test(address)) throw new DaosError('INVAL', `"${address}" is not a control address`);
  if (!address.startsWith('0.0.0.0:')) return address;
  const peerHost = peer.slice(0, Math.max(0, peer.lastIndexOf(':'))).replace(/^\[?(?:::ffff:)?/, '').replace(
    /\]$/,
    '',
  );
  if (peerHost === '') {
    throw new DaosError('INVAL', `the address of the joining server is not known ("${peer}")`);
  }
  return `${peerHost}:${address.slice('0.0.0.0:'.length)}`;
}

/**
 * Decides what a request to join does to the system. `mayBeRankZero`: it comes from engine 0 of the server that made
 * the system. Throws what refuses it; nothing has changed then.
 */
export function planJoin(
  state: SystemState,
  request: JoinReq,
  address: string,
  mayBeRankZero: boolean,
): JoinPlan {
  checkRequest(state, request);
  const existing = findExisting(state, request);
  if (existing) return rejoin(state, request, address, existing);
  checkDepth(state, request.srvFaultDomain, undefined);
  const twin = state.members.find((member) =>
    member.address === address && member.fabricUri === request.uri &&
    member.faultDomain === request.srvFaultDomain
  );
  if (request.replace) return replace(request, address, twin);
  if (twin) throw faultMemberExists(twin.rank, twin.uuid);
  const rank = mayBeRankZero && !state.memberByRank(0) ? 0 : state.nextRank;
  return { change: { op: SystemOp.ADD_MEMBER, member: memberOf(request, address, rank) }, rank, isNew: true };
}

function checkRequest(state: SystemState, request: JoinReq): void {
  if (!isUuid(request.uuid)) throw new DaosError('INVAL', `"${request.uuid}" is not a UUID`);
  FaultDomain.parse(request.srvFaultDomain);
  const provider = providerOfUri(request.uri);
  const expected = state.attributes.get(ATTR_PROVIDERS);
  if (expected !== undefined && provider !== expected) {
    throw new Error(
      `engine uses fabric provider "${provider}", the system uses "${expected}": correct the configuration of ${request.addr}`,
    );
  }
}

function findExisting(state: SystemState, request: JoinReq): Member | undefined {
  const byUuid = state.memberByUuid(request.uuid);
  if (request.rank === RANK_NONE) return byUuid;
  const byRank = state.memberByRank(request.rank);
  if (byRank && byRank.uuid !== request.uuid) {
    throw new Error(`rank ${request.rank} belongs to UUID ${byRank.uuid}, not to ${request.uuid}`);
  }
  if (byUuid && byUuid.rank !== request.rank) {
    throw new Error(`UUID ${request.uuid} has rank ${byUuid.rank}, not ${request.rank}`);
  }
  return byRank;
}

function rejoin(state: SystemState, request: JoinReq, address: string, member: Member): JoinPlan {
  if (member.state === 'AdminExcluded') throw new Error(`rank ${member.rank} is administratively excluded`);
  if (!isSameHost(member.address, address)) {
    throw new Error(`rank ${member.rank} is at ${member.address} and cannot join from ${address}`);
  }
  checkDepth(state, request.srvFaultDomain, member);
  return {
    change: { op: SystemOp.UPDATE_MEMBER, member: memberOf(request, address, member.rank) },
    rank: member.rank,
    isNew: false,
  };
}

/** Equal hosts: a server may be started again on another control port. */
function isSameHost(address: string, other: string): boolean {
  const host = (text: string) => text.slice(0, text.lastIndexOf(':'));
  return host(address) === host(other);
}

function replace(request: JoinReq, address: string, twin: Member | undefined): JoinPlan {
  if (!twin) {
    throw new Error(
      `no member matches ${address} ${request.uri} ${request.srvFaultDomain}: nothing to replace`,
    );
  }
  if (twin.state === 'AdminExcluded') throw new Error(`rank ${twin.rank} is administratively excluded`);
  return {
    change: { op: SystemOp.UPDATE_MEMBER, member: memberOf(request, address, twin.rank) },
    rank: twin.rank,
    isNew: false,
  };
}

/** All members stand equally deep, so that placement can count levels. The only member may change its depth. */
function checkDepth(state: SystemState, path: string, self: Member | undefined): void {
  const depth = FaultDomain.parse(path).depth;
  const other = state.members.find((member) => member.rank !== self?.rank);
  if (!other) return;
  const expected = FaultDomain.parse(other.faultDomain).depth;
  if (depth !== expected) throw faultDomainDepth(depth, expected);
}

function memberOf(request: JoinReq, address: string, rank: number): Member {
  return {
    rank,
    uuid: request.uuid.toLowerCase(),
    incarnation: String(request.incarnation),
    address,
    fabricUri: request.uri,
    fabricContexts: request.nctxs,
    state: request.checkMode ? 'CheckerStarted' : 'Joined',
    info: '',
    faultDomain: request.srvFaultDomain,
    lastUpdate: new Date().toISOString(),
  };
}

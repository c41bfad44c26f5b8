import { hostname } from 'node:os';

import { messageCodec } from './define_rpc.js';
import { f } from './field.js';
import { WIRE_VERSION, WIRE_VERSION_MIN } from './frame.js';

/** First frame of a connection, from the side that opened it. */
export const HELLO = messageCodec({
  versionMin: f.u32,
  versionMax: f.u32,
  pid: f.u32,
  host: f.str,
});

/** Its answer. A status other than 0 in the frame's header refuses the connection for the reason in `message`. */
export const HELLO_REPLY = messageCodec({
  version: f.u32,
  versionMin: f.u32,
  versionMax: f.u32,
  message: f.str,
});

export type Hello = Parameters<typeof HELLO.encode>[0];

export function helloSelf(): Hello {
  return { versionMin: WIRE_VERSION_MIN, versionMax: WIRE_VERSION, pid: process.pid, host: hostname() };
}

/** Newest version that both sides speak, or undefined. */
export function commonVersion(peer: { readonly versionMin: number; readonly versionMax: number }): number | undefined {
  const version = Math.min(WIRE_VERSION, peer.versionMax);
  return version >= WIRE_VERSION_MIN && version >= peer.versionMin ? version : undefined;
}

export function versionText(range: { readonly versionMin: number; readonly versionMax: number }): string {
  return range.versionMin === range.versionMax ? `${range.versionMax}` : `${range.versionMin} to ${range.versionMax}`;
}

/** Body of an error reply. */
export const ERROR_BODY = messageCodec({ message: f.str });

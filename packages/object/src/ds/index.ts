import type { EngineModule, Xstream } from '@daos/engine';

import {
  OBJ_AKEY_ENUMERATE,
  OBJ_DKEY_ENUMERATE,
  OBJ_FETCH,
  OBJ_KEY2ANCHOR,
  OBJ_OID_LIST,
  OBJ_PUNCH,
  OBJ_PUNCH_AKEYS,
  OBJ_PUNCH_DKEYS,
  OBJ_QUERY_KEY,
  OBJ_RECX_ENUMERATE,
  OBJ_UPDATE,
} from '../rpc.js';
import { serveAkeys, serveDkeys, serveOids, serveRecxs } from './enumerate.js';
import { serveFetch } from './fetch.js';
import { serveKeyToAnchor, serveQuery } from './query.js';
import { ObjTarget, type HandleLookup } from './target.js';
import { servePunch, serveUpdate } from './update.js';

/** Registers the object service's handlers in a target's xstream. */
export function serveObjects(xs: Xstream, lookup?: HandleLookup): void {
  const target = new ObjTarget(xs, lookup);
  xs.handle(OBJ_UPDATE, (request) => serveUpdate(target, request));
  xs.handle(OBJ_FETCH, (request) => serveFetch(target, request));
  xs.handle(OBJ_PUNCH, ({ input }) => servePunch(target, input.head, {}));
  xs.handle(OBJ_PUNCH_DKEYS, ({ input }) => servePunch(target, input.head, { dkey: input.dkey }));
  xs.handle(OBJ_PUNCH_AKEYS, ({ input }) => servePunch(target, input.head, { dkey: input.dkey, akeys: input.akeys }));
  xs.handle(OBJ_DKEY_ENUMERATE, ({ input }) => serveDkeys(target, input));
  xs.handle(OBJ_AKEY_ENUMERATE, ({ input }) => serveAkeys(target, input));
  xs.handle(OBJ_RECX_ENUMERATE, ({ input }) => serveRecxs(target, input));
  xs.handle(OBJ_QUERY_KEY, ({ input }) => serveQuery(target, input.head, { dkey: input.dkey, akey: input.akey }));
  xs.handle(OBJ_KEY2ANCHOR, ({ input }) => serveKeyToAnchor(target, input.head, input.dkey, input.akey));
  xs.handle(OBJ_OID_LIST, ({ input }) => serveOids(target, input));
}

/** The object module: works in target xstreams only. */
export const objModule: EngineModule = {
  name: 'obj',
  id: 4,
  version: 10,
  start(xs) {
    if (xs.kind === 'target') serveObjects(xs);
    return {};
  },
};

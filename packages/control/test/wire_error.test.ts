import { DaosError } from '@daos/common';
import {
  ContextError,
  Fault,
  NotLeaderError,
  NotReplicaError,
  PoolNotFoundError,
  RpcStatusError,
  annotateError,
  decodeWireError,
  describeError,
  jsonStatus,
  resolutionOf,
} from '../src/index.js';

function roundTrip(error: unknown): Error {
  const sent = annotateError(error);
  return decodeWireError(sent.code, sent.message, sent.details);
}

describe('an error that crosses the wire', () => {
  it('stays a fault with all its parts', () => {
    const fault = new Fault({ domain: 'server', code: 609, description: 'pool label "p1" already exists', reason: 'r', resolution: 'choose another' });
    const found = roundTrip(new ContextError('pool create', fault));
    expect(found).toBeInstanceOf(Fault);
    expect(found).toMatchObject({ domain: 'server', code: 609, description: 'pool label "p1" already exists', reason: 'r', resolution: 'choose another' });
    expect(found.message).toBe('server: code = 609 description = "pool label \\"p1\\" already exists"');
  });

  it('stays a DAOS status', () => {
    expect(roundTrip(new DaosError('NOSPACE'))).toMatchObject({ der: 'NOSPACE', status: -1007 });
  });

  it('stays a redirection', () => {
    expect(roundTrip(new NotLeaderError('h1:10001', ['h1:10001', 'h2:10001']))).toMatchObject({ leaderHint: 'h1:10001', replicas: ['h1:10001', 'h2:10001'] });
    expect(roundTrip(new NotReplicaError(['h3']))).toMatchObject({ name: 'NotReplicaError', replicas: ['h3'] });
  });

  it('names the pool that was not found', () => {
    expect(roundTrip(new PoolNotFoundError({ label: 'nosuch' })).message).toBe('unable to find pool service with label "nosuch"');
    expect(roundTrip(new PoolNotFoundError({ uuid: '11111111-2222-3333-4444-555555555555' })).message).toBe(
      'unable to find pool service with uuid 11111111-2222-3333-4444-555555555555',
    );
  });

  it('keeps the text of any other error', () => {
    expect(roundTrip(new Error('system is uninitialized (storage format required?)')).message).toBe(
      'rpc error: code = Unknown desc = system is uninitialized (storage format required?)',
    );
    expect(roundTrip(new RpcStatusError(12, 'no such method'))).toMatchObject({ code: 12, details: 'no such method' });
  });

  it('survives details that are garbage', () => {
    expect(decodeWireError(13, 'text', Buffer.from([255, 255, 255])).message).toBe('rpc error: code = Internal desc = text');
  });
});

describe('what users read of an error', () => {
  it('is contexts and DAOS words, and a detail only where the status alone says too little', () => {
    const error = new ContextError('failed to connect to pool', new DaosError('NONEXIST', 'no pool of that name'));
    expect(describeError(error)).toBe('failed to connect to pool: DER_NONEXIST(-1005): The specified entity does not exist');
    expect(describeError(new DaosError('UNREACH', 'rank 3'))).toBe('DER_UNREACH(-1006): Unreachable node (rank 3)');
    expect(describeError(new Error('two\n lines'))).toBe('two lines');
    expect(jsonStatus(error)).toBe(-1005);
    expect(jsonStatus(new Error('x'))).toBe(-1025);
  });

  it('has the resolution of a fault below its contexts', () => {
    const fault = new Fault({ domain: 'a b:c', code: 1, description: 'd', resolution: 'do it' });
    expect(resolutionOf(new ContextError('x', fault))).toBe('a_b_c: code = 1 resolution = "do it"');
    expect(resolutionOf(new Error('x'))).toBeUndefined();
  });
});

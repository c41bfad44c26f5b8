import { Metadata, Server, ServerCredentials, type ServiceError } from '@grpc/grpc-js';
import { unaryMethod } from '@daos/proto';
import { MgmtSvcService } from '@daos/proto/mgmt/mgmt';
import { SystemQueryReq, SystemQueryResp } from '@daos/proto/mgmt/system';

import { CallTimeoutError, DAOS_VERSION, Fault, GrpcTransport, annotateError, type TransportConfig } from '../src/index.js';

const INSECURE: TransportConfig = { allow_insecure: true, ca_cert: '', cert: '', key: '' };
const METHOD = unaryMethod('/mgmt.MgmtSvc/SystemQuery', SystemQueryReq, SystemQueryResp);

type Handler = (request: SystemQueryReq, headers: Metadata) => Promise<SystemQueryResp>;

/** A gRPC server with one method, on a free port of the loopback. */
async function serve(handler: Handler): Promise<{ server: Server; address: string }> {
  const server = new Server();
  server.addService({ systemQuery: MgmtSvcService.systemQuery }, {
    systemQuery: (call: { request: SystemQueryReq; metadata: Metadata }, done: (error: Partial<ServiceError> | null, response?: SystemQueryResp) => void) => {
      handler(call.request, call.metadata).then(
        (response) => done(null, response),
        (error: unknown) => {
          const sent = annotateError(error);
          const metadata = new Metadata();
          if (sent.details) metadata.set('grpc-status-details-bin', sent.details);
          done({ code: sent.code, details: sent.message, metadata });
        },
      );
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return { server, address: `127.0.0.1:${port}` };
}

describe('gRPC to a server', () => {
  let stop: (() => void) | undefined;
  afterEach(() => stop?.());

  async function open(handler: Handler): Promise<{ transport: GrpcTransport; address: string }> {
    const { server, address } = await serve(handler);
    const transport = new GrpcTransport(INSECURE, 'admin');
    stop = () => {
      transport.close();
      server.forceShutdown();
    };
    return { transport, address };
  }

  it('carries the request with its headers', async () => {
    let seen: { sys: string; component: unknown; version: unknown } | undefined;
    const { transport, address } = await open((request, headers) => {
      seen = { sys: request.sys, component: headers.get('x-daos-component')[0], version: headers.get('x-daos-version')[0] };
      return Promise.resolve(SystemQueryResp.fromPartial({ dataVersion: 5n }));
    });
    const found = await transport.call(address, METHOD, SystemQueryReq.fromPartial({ sys: 'daos_server-2.9.100' }), { timeoutMs: 5000 });
    expect(found.dataVersion).toBe(5n);
    expect(seen).toEqual({ sys: 'daos_server-2.9.100', component: 'admin', version: DAOS_VERSION });
  });

  it('rebuilds the fault that the server threw', async () => {
    const { transport, address } = await open(() => Promise.reject(new Fault({ domain: 'server', code: 603, description: 'wrong "system"' })));
    await expect(transport.call(address, METHOD, SystemQueryReq.fromPartial({}), { timeoutMs: 5000 })).rejects.toMatchObject({
      name: 'Fault',
      code: 603,
      description: 'wrong "system"',
    });
  });

  it('tells a timeout from a refusal, and lets itself be interrupted', async () => {
    const { transport, address } = await open(() => new Promise(() => undefined));
    await expect(transport.call(address, METHOD, SystemQueryReq.fromPartial({}), { timeoutMs: 50 })).rejects.toBeInstanceOf(CallTimeoutError);
    const controller = new AbortController();
    const waiting = transport.call(address, METHOD, SystemQueryReq.fromPartial({}), { timeoutMs: 5000, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('interrupted')), 20);
    await expect(waiting).rejects.toThrow('interrupted');
  });

  it('knows a server that is not there', async () => {
    const { server, address } = await serve(() => Promise.reject(new Error('unused')));
    server.forceShutdown();
    const transport = new GrpcTransport(INSECURE, 'admin');
    stop = () => transport.close();
    await expect(transport.call(address, METHOD, SystemQueryReq.fromPartial({}), { timeoutMs: 5000 })).rejects.toMatchObject({
      code: 506,
      description: `the server at ${address} refused the connection`,
    });
  });

  it('names certificates that are missing', async () => {
    const transport = new GrpcTransport({ allow_insecure: false, ca_cert: '/nonexistent/ca.crt', cert: '', key: '' }, 'admin');
    stop = () => transport.close();
    await expect(transport.call('127.0.0.1:1', METHOD, SystemQueryReq.fromPartial({}), { timeoutMs: 1000 })).rejects.toMatchObject({ code: 901 });
  });
});

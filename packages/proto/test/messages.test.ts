import { encodeMessage, unaryMethod } from '../src/index.js';
import { Call, Response, Status } from '../src/gen/drpc.js';
import { ErrorInfo, Status as RpcStatus } from '../src/gen/google/rpc/status.js';
import { CtlSvcService } from '../src/gen/ctl/control.js';
import { MgmtSvcService } from '../src/gen/mgmt/mgmt.js';
import { PoolProperty, PoolQueryResp } from '../src/gen/mgmt/pool.js';
import { GetAttachInfoResp } from '../src/gen/mgmt/svc.js';
import { SystemGetAttrResp } from '../src/gen/mgmt/system.js';
import { Credential, Flavor, Sys } from '../src/gen/security/auth.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('wire form of known messages', () => {
  it('drpc.Call leaves zero fields out', () => {
    const call = Call.fromPartial({ module: 1, method: 101, sequence: 7n });
    expect(hex(encodeMessage(Call, call))).toBe('080110651807');
    const withBody = Call.fromPartial({ module: 4, method: 401, sequence: 1n, body: Buffer.from([1, 2]) });
    expect(hex(encodeMessage(Call, withBody))).toBe('0804109103180122020102');
  });

  it('drpc.Response carries 64-bit sequences exactly', () => {
    const response = Response.decode(Buffer.from('08ffffffffffffffff7f10051a0a30313233343536373839', 'hex'));
    expect(response.sequence).toBe(2n ** 63n - 1n);
    expect(response.status).toBe(Status.FAILED_UNMARSHAL_CALL);
    expect(Buffer.from(response.body).toString()).toBe('0123456789');
    expect(hex(encodeMessage(Response, response))).toBe('08ffffffffffffffff7f10051a0a30313233343536373839');
    const refused = Response.fromPartial({ sequence: -1n, status: Status.FAILED_UNMARSHAL_CALL });
    expect(Response.decode(encodeMessage(Response, refused))).toEqual(refused);
  });

  it('auth.Credential nests the encoded identity', () => {
    const data = encodeMessage(Sys, Sys.fromPartial({ user: 'user1@', group: 'grp1@' }));
    expect(hex(data)).toBe('1a0675736572314022056772703140');
    const credential = Credential.fromPartial({
      token: { flavor: Flavor.AUTH_SYS, data },
      verifier: { flavor: Flavor.AUTH_SYS },
    });
    expect(hex(encodeMessage(Credential, credential))).toBe(
      '0a130801120f1a067573657231402205677270314012020801',
    );
  });

  it('mgmt.GetAttachInfoResp with a negative status, packed ranks and nested messages', () => {
    const bytes =
      '0891f8ffffffffffffff01121a12186f66692b7463703a2f2f31302e302e302e313a3331343130121f08960112186f66692b746370' +
      '3a2f2f31302e302e302e323a33313431312003121f08ac0212186f66692b7463703a2f2f31302e302e302e333a333134313220061a040002ac02221b' +
      '0a076f66692b7463701204657468301a0465746830281e300138022895bcc1960b320b64616f735f736572766572';
    const message = GetAttachInfoResp.decode(Buffer.from(bytes, 'hex'));
    expect(message.status).toBe(-1007);
    expect(message.rankUris.map((entry) => entry.rank)).toEqual([0, 150, 300]);
    expect(message.msRanks).toEqual([0, 2, 300]);
    expect(message.clientNetHint?.srvSrxSet).toBe(2);
    expect(message.dataVersion).toBe(3000000021n);
    expect(hex(encodeMessage(GetAttachInfoResp, message))).toBe(bytes);
  });

  it('oneof values, maps, floats and unsigned 64-bit extremes survive a round trip', () => {
    const property = PoolProperty.fromPartial({
      number: 3,
      value: { $case: 'numval', value: 2n ** 64n - 1n },
    });
    expect(PoolProperty.decode(encodeMessage(PoolProperty, property))).toEqual(property);
    const attributes = SystemGetAttrResp.fromPartial({ attributes: { owner: 'alice', empty: '' } });
    expect(SystemGetAttrResp.decode(encodeMessage(SystemGetAttrResp, attributes))).toEqual(attributes);
    const query = PoolQueryResp.fromPartial({
      queryMask: 2n ** 64n - 1n,
      tierStats: [{ total: 1n << 62n, free: 5n }],
    });
    expect(PoolQueryResp.decode(encodeMessage(PoolQueryResp, query))).toEqual(query);
  });

  it('skips unknown fields and refuses truncated input', () => {
    const extended = Buffer.concat([
      encodeMessage(Call, Call.fromPartial({ module: 2 })),
      Buffer.from([0xfa, 0x07, 0x01, 0x78]),
    ]);
    expect(Call.decode(extended).module).toBe(2);
    expect(() => Call.decode(Buffer.from('0804109103180122ff', 'hex'))).toThrow();
  });
});

describe('methods', () => {
  it('have the paths of the services', () => {
    expect(MgmtSvcService.poolCreate.path).toBe('/mgmt.MgmtSvc/PoolCreate');
    expect(CtlSvcService.setEngineLogMasks.path).toBe('/ctl.CtlSvc/SetEngineLogMasks');
    expect(Object.keys(MgmtSvcService)).toHaveLength(51);
    expect(Object.keys(CtlSvcService)).toHaveLength(14);
  });

  it('unaryMethod serialises like the service definition', () => {
    const method = unaryMethod('/x/Y', ErrorInfo, RpcStatus);
    const info = ErrorInfo.fromPartial({ reason: 'r', metadata: { a: 'b' } });
    expect(ErrorInfo.decode(method.requestSerialize(info))).toEqual(info);
    expect(method.responseDeserialize(Buffer.alloc(0))).toEqual(RpcStatus.fromPartial({}));
  });
});

import { Fault } from '@daos/control';
import { CtlSvcService } from '@daos/proto/ctl/control';
import { MgmtSvcService } from '@daos/proto/mgmt/mgmt';

import { AUTHORISED_PATHS, componentOfCommonName, mayCall } from '../src/grpc/authorization.js';
import {
  checkVersion,
  isCompatible,
  parseVersion,
  splitSystemName,
  type Component,
  type VersionCheckInput,
} from '../src/grpc/version_check.js';

const version = (text: string) => parseVersion(text) ?? { major: 0, minor: 0, patch: 0 };

function check(fields: Partial<Omit<VersionCheckInput, 'self'>> & { self?: string }): number | string {
  const { self = '2.4.1', ...rest } = fields;
  try {
    checkVersion({
      secure: false,
      peerComponent: undefined,
      componentHeader: undefined,
      versionHeader: undefined,
      sys: undefined,
      ...rest,
      self: version(self),
    });
    return 'ok';
  } catch (error) {
    return error instanceof Fault ? error.code : (error as Error).message;
  }
}

function headers(component: string, text: string, self = '2.4.1'): number | string {
  return check({ self, componentHeader: component, versionHeader: text });
}

describe('authorisation', () => {
  it('has an entry for every RPC of both services and no other', () => {
    const paths = [...Object.values(CtlSvcService), ...Object.values(MgmtSvcService)].map((method) =>
      method.path
    );
    expect([...AUTHORISED_PATHS].sort()).toEqual([...paths].sort());
  });

  it('knows three certificate names', () => {
    expect(['server', 'agent', 'admin', 'Admin', 'client', ''].map(componentOfCommonName)).toEqual([
      'server',
      'agent',
      'admin',
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('lets each component call its own methods only', () => {
    const who = (path: string) =>
      (['admin', 'server', 'agent', 'client'] as Component[]).filter((component) => mayCall(component, path));
    expect(who('/mgmt.MgmtSvc/PoolCreate')).toEqual(['admin']);
    expect(who('/mgmt.MgmtSvc/Join')).toEqual(['server']);
    expect(who('/mgmt.MgmtSvc/GetAttachInfo')).toEqual(['admin', 'agent']);
    expect(who('/ctl.CtlSvc/StopRanks')).toEqual(['server']);
    expect(who('/ctl.CtlSvc/StorageScan')).toEqual(['admin', 'server']);
    expect(who('/ctl.CtlSvc/StorageFormat')).toEqual(['admin']);
    expect(who('/mgmt.MgmtSvc/NoSuch')).toEqual([]);
  });
});

describe('version check', () => {
  it('accepts agents up to two minor versions away', () => {
    for (const good of ['2.3.108', '2.4.0', '2.6.0', '2.2.0']) expect(headers('agent', good)).toBe('ok');
    expect(headers('agent', '2.2.0', '2.6.0')).toBe(616);
    expect(headers('agent', '2.2.0', '3.4.0')).toBe(616);
  });

  it('wants the same minor version of everybody else', () => {
    expect(headers('admin', '2.4.0')).toBe('ok');
    expect(headers('admin', '2.6.0')).toBe(616);
    expect(headers('server', '2.4.0')).toBe('ok');
    expect(headers('server', '2.6.0')).toBe(616);
    expect(headers('server', '1.0.0')).toBe(616);
    expect(headers('admin', 'garbage')).toBe(616);
    expect(headers('bogus', '2.4.1')).toMatch(/invalid component/);
  });

  it('takes the version from the system name when there are no headers', () => {
    expect(check({ sys: 'daos_server-2.4.1' })).toBe('ok');
    expect(check({ sys: 'daos_server' })).toBe(617);
    expect(check({ sys: 'daos_server-2.4.0' })).toBe(617);
    expect(check({ sys: 'daos_server-2.4.0', secure: true, peerComponent: 'admin' })).toBe('ok');
    expect(check({ sys: 'daos_server', secure: true, peerComponent: 'admin' })).toBe(616);
    expect(check({ sys: 'daos_server-2.4.1', secure: true, peerComponent: undefined })).toBe(616);
    expect(check({})).toBe('ok');
    expect(check({ secure: true, peerComponent: 'agent' })).toBe('ok');
  });

  it('refuses a header that contradicts the certificate, and an own version of zero', () => {
    expect(check({ secure: true, peerComponent: 'agent', componentHeader: 'admin', versionHeader: '2.4.1' }))
      .toMatch(/component mismatch/);
    expect(check({ secure: true, peerComponent: 'agent', componentHeader: 'agent', versionHeader: '2.4.1' }))
      .toBe('ok');
    expect(check({ self: '0.0.0' })).toMatch(/self/);
  });

  it('calls equal versions compatible whatever they are', () => {
    const pair = (component: Component, text: string) => ({ component, version: version(text) });
    expect(isCompatible(pair('server', '1.0.0'), pair('client', '1.0.0'))).toBe(true);
    expect(isCompatible(pair('server', '3.0.0'), pair('client', '2.0.0'))).toBe(false);
  });

  it('splits off only a version behind the last hyphen', () => {
    expect(splitSystemName('daos_server')).toEqual({ name: 'daos_server', version: undefined });
    expect(splitSystemName('my-system')).toEqual({ name: 'my-system', version: undefined });
    expect(splitSystemName('my-system-2.9.100').name).toBe('my-system');
    expect(splitSystemName('system-1.2.3-2.9.100').name).toBe('system-1.2.3');
    expect(parseVersion('v2.9.100-rc1')).toEqual({ major: 2, minor: 9, patch: 100 });
  });
});

import type { Component } from './version_check.js';

const ADMIN: readonly Component[] = ['admin'];
const SERVER: readonly Component[] = ['server'];
const ADMIN_SERVER: readonly Component[] = ['admin', 'server'];
const ADMIN_AGENT: readonly Component[] = ['admin', 'agent'];

/** Who may call what when certificates are used. A method that is not listed is denied to everybody. */
const ALLOWED: Readonly<Record<string, readonly Component[] | undefined>> = {
  // Servers ask each other how much room a pool has.
  '/ctl.CtlSvc/StorageScan': ADMIN_SERVER,
  '/ctl.CtlSvc/StorageFormat': ADMIN,
  '/ctl.CtlSvc/StorageNvmeRebind': ADMIN,
  '/ctl.CtlSvc/StorageNvmeAddDevice': ADMIN,
  '/ctl.CtlSvc/NetworkScan': ADMIN,
  '/ctl.CtlSvc/SmdQuery': ADMIN,
  '/ctl.CtlSvc/SmdManage': ADMIN,
  '/ctl.CtlSvc/SetEngineLogMasks': ADMIN,
  '/ctl.CtlSvc/PrepShutdownRanks': SERVER,
  '/ctl.CtlSvc/StopRanks': SERVER,
  '/ctl.CtlSvc/ResetFormatRanks': SERVER,
  '/ctl.CtlSvc/StartRanks': SERVER,
  '/ctl.CtlSvc/CollectLog': ADMIN,
  '/ctl.CtlSvc/CheckEngineRepair': SERVER,
  '/mgmt.MgmtSvc/Join': SERVER,
  '/mgmt.MgmtSvc/ClusterEvent': SERVER,
  '/mgmt.MgmtSvc/LeaderQuery': ADMIN,
  '/mgmt.MgmtSvc/PoolCreate': ADMIN,
  '/mgmt.MgmtSvc/PoolDestroy': ADMIN,
  '/mgmt.MgmtSvc/PoolEvict': ADMIN_AGENT,
  '/mgmt.MgmtSvc/PoolExclude': ADMIN,
  '/mgmt.MgmtSvc/PoolDrain': ADMIN_SERVER,
  '/mgmt.MgmtSvc/PoolExtend': ADMIN,
  '/mgmt.MgmtSvc/PoolReintegrate': ADMIN_SERVER,
  '/mgmt.MgmtSvc/PoolQuery': ADMIN,
  '/mgmt.MgmtSvc/PoolQueryTarget': ADMIN,
  '/mgmt.MgmtSvc/PoolSetProp': ADMIN,
  '/mgmt.MgmtSvc/PoolGetProp': ADMIN,
  '/mgmt.MgmtSvc/PoolGetACL': ADMIN,
  '/mgmt.MgmtSvc/PoolOverwriteACL': ADMIN,
  '/mgmt.MgmtSvc/PoolUpdateACL': ADMIN,
  '/mgmt.MgmtSvc/PoolDeleteACL': ADMIN,
  '/mgmt.MgmtSvc/PoolUpgrade': ADMIN,
  '/mgmt.MgmtSvc/PoolRebuildStart': ADMIN_SERVER,
  '/mgmt.MgmtSvc/PoolRebuildStop': ADMIN_SERVER,
  '/mgmt.MgmtSvc/PoolSelfHealEval': ADMIN_SERVER,
  '/mgmt.MgmtSvc/GetAttachInfo': ADMIN_AGENT,
  '/mgmt.MgmtSvc/ListPools': ADMIN,
  '/mgmt.MgmtSvc/ListContainers': ADMIN,
  '/mgmt.MgmtSvc/ContSetOwner': ADMIN,
  '/mgmt.MgmtSvc/SystemQuery': ADMIN,
  '/mgmt.MgmtSvc/SystemStop': ADMIN,
  '/mgmt.MgmtSvc/SystemStart': ADMIN,
  '/mgmt.MgmtSvc/SystemExclude': ADMIN,
  '/mgmt.MgmtSvc/SystemDrain': ADMIN,
  '/mgmt.MgmtSvc/SystemRebuildManage': ADMIN,
  '/mgmt.MgmtSvc/SystemSelfHealEval': ADMIN,
  // The leader passes it on to the other replicas.
  '/mgmt.MgmtSvc/SystemErase': ADMIN_SERVER,
  '/mgmt.MgmtSvc/SystemCleanup': ADMIN_AGENT,
  '/mgmt.MgmtSvc/SystemCheckEnable': ADMIN,
  '/mgmt.MgmtSvc/SystemCheckDisable': ADMIN,
  '/mgmt.MgmtSvc/SystemCheckStart': ADMIN,
  '/mgmt.MgmtSvc/SystemCheckStop': ADMIN,
  '/mgmt.MgmtSvc/SystemCheckQuery': ADMIN,
  '/mgmt.MgmtSvc/SystemCheckSetPolicy': ADMIN,
  '/mgmt.MgmtSvc/SystemCheckGetPolicy': ADMIN,
  '/mgmt.MgmtSvc/SystemCheckRepair': ADMIN,
  '/mgmt.MgmtSvc/SystemCheckEngineReport': SERVER,
  '/mgmt.MgmtSvc/SystemSetAttr': ADMIN,
  '/mgmt.MgmtSvc/SystemGetAttr': ADMIN,
  '/mgmt.MgmtSvc/SystemSetProp': ADMIN,
  '/mgmt.MgmtSvc/SystemGetProp': ADMIN_SERVER,
  '/mgmt.MgmtSvc/FaultInjectReport': ADMIN,
  '/mgmt.MgmtSvc/FaultInjectPoolFault': ADMIN,
  '/mgmt.MgmtSvc/FaultInjectMgmtPoolFault': ADMIN,
};

/** True when `component` may call the method with this full path. */
export function mayCall(component: Component, path: string): boolean {
  return ALLOWED[path]?.includes(component) ?? false;
}

export const AUTHORISED_PATHS: readonly string[] = Object.keys(ALLOWED);

/** Component named by a certificate's subject CN; undefined for any other name, which may call nothing. */
export function componentOfCommonName(commonName: string): Component | undefined {
  return commonName === 'admin' || commonName === 'server' || commonName === 'agent' ? commonName : undefined;
}

import {
  faultDuplicateFabric,
  faultDuplicateLogFile,
  faultDuplicateMount,
  faultHelperCounts,
  faultOverlappingDevices,
  faultScmClassDiffers,
  faultTargetCounts,
} from './config_faults.js';
import { SYSTEM_TAGS, type EngineConfig } from './engine_config.js';

/** Rules that hold between the engines of one server; the first violation is thrown, with the engines' indices. */
export function checkEnginesTogether(engines: readonly EngineConfig[]): void {
  const [first] = engines;
  if (!first) return;
  for (const [index, engine] of engines.entries()) {
    for (const seen of engines.slice(0, index)) checkPair(engine, seen);
    if (engine.scm.storageClass !== first.scm.storageClass) throw faultScmClassDiffers(index);
    if (engine.targets !== first.targets) throw faultTargetCounts(index, engine.targets, first.targets);
    if (engine.helpers !== first.helpers) throw faultHelperCounts(index, engine.helpers, first.helpers);
  }
}

function checkPair(engine: EngineConfig, seen: EngineConfig): void {
  if (
    engine.provider === seen.provider && engine.fabricInterface === seen.fabricInterface &&
    portsOverlap(engine, seen)
  ) {
    throw faultDuplicateFabric(engine.index, seen.index);
  }
  if (engine.logFile !== '' && engine.logFile === seen.logFile) {
    throw faultDuplicateLogFile(engine.index, seen.index);
  }
  if (engine.scm.mount === seen.scm.mount) throw faultDuplicateMount(engine.index, seen.index);
  const seenDevices = new Set(seen.data?.devices);
  if (engine.data?.devices.some((device) => seenDevices.has(device))) {
    throw faultOverlappingDevices(engine.index, seen.index);
  }
}

/** Every tag of an engine listens on a port of its own, counted up from `fabric_iface_port`. */
function portsOverlap(a: EngineConfig, b: EngineConfig): boolean {
  if (a.fabricPort === 0 || b.fabricPort === 0) return false;
  return a.fabricPort < b.fabricPort + SYSTEM_TAGS + b.targets &&
    b.fabricPort < a.fabricPort + SYSTEM_TAGS + a.targets;
}

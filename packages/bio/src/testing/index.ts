export { FaultyIo, type CrashLoss, type Fault, type FaultCall, type FaultStep } from './faulty_io.js';
export { MemoryIo } from './memory_io.js';

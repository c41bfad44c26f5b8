import { NO_RANK } from '@daos/cart';
import { DaosError } from '@daos/common';

import type { AutoFaulty, EngineInfo } from './types.js';

/** What does not change while an engine runs. Passes between threads. */
export interface EngineConstants {
  readonly systemName: string;
  readonly targetCount: number;
  readonly storageDir: string;
  readonly dataDir: string | undefined;
  readonly socketDir: string;
  readonly instanceIndex: number;
  readonly autoFaulty: AutoFaulty | undefined;
}

/** EngineInfo with a rank that becomes known later. */
export class EngineFacts implements EngineInfo {
  readonly systemName: string;
  readonly targetCount: number;
  readonly storageDir: string;
  readonly dataDir: string | undefined;
  readonly socketDir: string;
  readonly instanceIndex: number;
  readonly autoFaulty: AutoFaulty | undefined;
  private ownRank = NO_RANK;

  constructor(constants: EngineConstants) {
    this.systemName = constants.systemName;
    this.targetCount = constants.targetCount;
    this.storageDir = constants.storageDir;
    this.dataDir = constants.dataDir;
    this.socketDir = constants.socketDir;
    this.instanceIndex = constants.instanceIndex;
    this.autoFaulty = constants.autoFaulty;
  }

  get rank(): number {
    if (this.ownRank === NO_RANK) throw new DaosError('UNINIT', 'this engine has no rank yet');
    return this.ownRank;
  }

  get hasRank(): boolean {
    return this.ownRank !== NO_RANK;
  }

  setRank(rank: number): void {
    this.ownRank = rank;
  }
}

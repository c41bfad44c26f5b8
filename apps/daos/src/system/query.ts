import type { VerbContext, VerbResult } from '@daos/control/cli';

import { withDaos } from '../session.js';

/** `daos system query`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const info = await withDaos(context, (daos) => Promise.resolve(daos.systemInfo()));
  const lines = (ranks: readonly { rank: number; uri: string }[]): string => ranks.map(({ rank, uri }) => `\t\trank[${rank}]: ${uri}\n`).join('');
  const access = info.rankUris.filter(({ rank }) => info.accessPointRanks.includes(rank));
  context.io.print(
    `connected to DAOS system:\n\tname: ${info.name}\n\tfabric provider: ${info.provider}\n` +
      `\taccess point ranks:\n${lines(access)}\trank URIs:\n${lines(info.rankUris)}`,
  );
  return {
    json: {
      system_name: info.name,
      fabric_provider: info.provider,
      agent_path: info.agentPath,
      rank_uris: info.rankUris,
      access_point_rank_uris: access,
    },
  };
}

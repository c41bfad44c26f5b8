import type { CliArgument, CliOption } from '@daos/control/cli';

export const POOL_ARGUMENT: CliArgument = { name: '<pool label or UUID>' };
export const CONTAINER_ARGUMENTS: readonly CliArgument[] = [POOL_ARGUMENT, { name: 'container name or UUID' }];
export const PATH_OPTION: CliOption = { flags: '-p, --path <path>', description: 'daos://pool/container in place of the two arguments' };

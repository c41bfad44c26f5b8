import { DaosError } from '@daos/common';

/** Who leads, as a replica knows it; sent along so that clients need not search. */
export interface LeaderHint {
  readonly rank: number;
  readonly term: number;
}

/** DER_NOTLEADER with what the replica knows of the leader. */
export class NotLeaderError extends DaosError {
  constructor(
    subject: string,
    readonly hint: LeaderHint | undefined,
  ) {
    super(
      'NOTLEADER',
      `${subject} is not led here${hint ? `, but by rank ${hint.rank} (term ${hint.term})` : ''}`,
    );
  }
}

/** DER_NOTREPLICA: nothing of the service is on this rank. */
export function notReplica(subject: string): DaosError {
  return new DaosError('NOTREPLICA', `this rank holds no replica of ${subject}`);
}

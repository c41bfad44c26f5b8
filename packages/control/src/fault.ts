/** What makes a fault: where it belongs, its number, what happened and what to do about it. */
export interface FaultFields {
  /** e.g. `server`, `storage`, `serverconfig`, `client`, `security`, `system`. */
  readonly domain: string;
  readonly code: number;
  readonly description: string;
  readonly reason?: string;
  readonly resolution?: string;
}

/**
 * An error that an administrator can act on. Two faults are the same when their codes are equal. The text has one form
 * everywhere: `<domain>: code = <n> description = "<text>"`; tools print `resolutionText` as a second line.
 */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly domain: string;
  readonly code: number;
  readonly description: string;
  readonly reason: string;
  readonly resolution: string;

  constructor(fields: FaultFields, options?: { cause?: unknown }) {
    const domain = faultDomainText(fields.domain);
    super(`${domain}: code = ${fields.code} description = ${quoteText(fields.description)}`, options);
    this.domain = domain;
    this.code = fields.code;
    this.description = fields.description;
    this.reason = fields.reason ?? '';
    this.resolution = fields.resolution ?? '';
  }

  /** The second line, or undefined when nothing can be advised. */
  get resolutionText(): string | undefined {
    if (this.resolution === '') return undefined;
    return `${this.domain}: code = ${this.code} resolution = ${quoteText(this.resolution)}`;
  }
}

function faultDomainText(domain: string): string {
  return domain === '' ? 'unknown' : domain.replaceAll(/[: ]/g, '_');
}

/** The first fault among an error and its causes that has one of `codes` (any fault when none is given). */
export function findFault(error: unknown, ...codes: number[]): Fault | undefined {
  for (let depth = 0, at = error; at instanceof Error && depth < 16; depth++, at = at.cause) {
    if (at instanceof Fault && (codes.length === 0 || codes.includes(at.code))) return at;
  }
  return undefined;
}

/** True when `error` itself is a fault with one of the codes (any fault when none is given). */
export function isFault(error: unknown, ...codes: number[]): error is Fault {
  return error instanceof Fault && (codes.length === 0 || codes.includes(error.code));
}

/** A text in double quotes, with quotes, backslashes and control characters escaped. */
export function quoteText(text: string): string {
  return JSON.stringify(text);
}

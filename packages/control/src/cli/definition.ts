/** An option of a command, declared as users see it. */
export interface CliOption {
  /** As in help: `-z, --size <size>`, `--force`. A value in angle brackets makes it take an argument. */
  readonly flags: string;
  readonly description: string;
  /** Turns the text into the value; throws an `Error` whose message says what is wrong with it. */
  readonly parse?: (text: string) => unknown;
  /** Type named in the error of a wrong value, as DAOS's tools name it. */
  readonly typeName?: string;
  readonly required?: boolean;
  readonly hidden?: boolean;
  /** A global option that is in truth one of some verbs; verbs without it refuse it. */
  readonly ofVerbs?: boolean;
  /** May be given several times; the values are collected. */
  readonly repeatable?: boolean;
}

export interface CliArgument {
  /** As users see it, with its brackets: `<pool label or UUID>`. */
  readonly name: string;
  readonly required?: boolean;
}

/** What a verb gets to work with. */
export interface VerbContext {
  /** Values by camel-cased long name; the verb's own before the global ones. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly args: readonly (string | undefined)[];
  readonly json: boolean;
  readonly io: CliOutput;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Where a command writes. Text for people is dropped when JSON was asked for. */
export interface CliOutput {
  /** Text for people on stdout; nothing in JSON mode. */
  print(text: string): void;
  /** Text on stdout in both modes. */
  printAlways(text: string): void;
  /** `NOTICE: text` on stderr. */
  notice(text: string): void;
  /** `ERROR: text` on stderr, without failing. */
  error(text: string): void;
  readonly stderrIsTerminal: boolean;
}

/** What a verb answers in JSON mode; `null` when there is nothing to tell. */
export type VerbResult = { readonly json: unknown } | undefined;

export interface CliVerb {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly description: string;
  readonly options?: readonly CliOption[];
  readonly args?: readonly CliArgument[];
  /** Takes any flags and arguments: for a verb that answers the same to all of them. */
  readonly acceptsAnything?: boolean;
  /** Loaded and run when the verb is called. */
  readonly run: (context: VerbContext) => Promise<VerbResult>;
}

export interface CliGroup {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly description: string;
  readonly commands: readonly (CliVerb | CliGroup)[];
}

export interface CliProgram {
  readonly name: string;
  readonly description: string;
  /** Error lines do not name the program, as those of servers. */
  readonly bareErrors?: boolean;
  readonly globals: readonly CliOption[];
  readonly commands: readonly (CliVerb | CliGroup)[];
}

/** A failure that still has something to show in JSON. */
export class VerbFailure extends Error {
  override readonly name = 'VerbFailure';
  constructor(
    readonly failure: unknown,
    /** `response` of the JSON output. */
    readonly response: unknown,
    /** The failure as JSON output tells it, where that differs. */
    readonly jsonFailure: unknown = failure,
  ) {
    super(failure instanceof Error ? failure.message : String(failure), { cause: failure });
  }
}

/** A command line that cannot be understood. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What an interrupted verb has to say about what it leaves behind. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

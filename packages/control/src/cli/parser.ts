import { Command, CommanderError, Option } from 'commander';

import { UsageError, type CliGroup, type CliOption, type CliProgram, type CliVerb } from './definition.js';

/** A command line understood: the verb with its values, or text to show. */
export type ParsedCommand =
  | { readonly verb: CliVerb; readonly options: Record<string, unknown>; readonly args: readonly (string | undefined)[] }
  | { readonly help: string };

/**
 * Parses a command line (without program and script name). Throws `UsageError` in the words of DAOS's tools. Global
 * options may stand anywhere; a verb's own option hides a global one of the same name.
 */
export function parseCommandLine(program: CliProgram, argv: readonly string[]): ParsedCommand {
  const state: { found?: ParsedCommand; help: string } = { help: '' };
  const root = buildRoot(program, (found) => (state.found = found), (text) => (state.help += text));
  try {
    root.parse([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && /^commander\.help/.test(error.code)) return { help: state.help };
    throw error instanceof CommanderError ? translate(error) : error;
  }
  if (!state.found) throw new UsageError(pleaseSpecify(program.commands));
  return state.found;
}

type Found = (parsed: ParsedCommand) => void;

function buildRoot(program: CliProgram, found: Found, writeHelp: (text: string) => void): Command {
  const root = new Command(program.name).description(program.description);
  configure(root, writeHelp);
  for (const option of program.globals) root.addOption(makeOption(option));
  addCommands(root, program.commands, program, found, writeHelp);
  root.usage('[OPTIONS] <command>');
  return root;
}

function configure(command: Command, writeHelp: (text: string) => void): void {
  command.exitOverride().enablePositionalOptions().helpCommand(false);
  command.configureOutput({ writeOut: writeHelp, writeErr: () => undefined, outputError: () => undefined });
}

function addCommands(
  parent: Command,
  definitions: readonly (CliVerb | CliGroup)[],
  program: CliProgram,
  found: Found,
  writeHelp: (text: string) => void,
): void {
  for (const definition of definitions) {
    const command = new Command(definition.name).description(definition.description);
    configure(command, writeHelp);
    for (const alias of definition.aliases ?? []) command.alias(alias);
    if ('run' in definition) fillVerb(command, definition, program, found);
    else {
      command.usage('[OPTIONS] <command>');
      for (const option of program.globals) command.addOption(makeOption(option).hideHelp());
      addCommands(command, definition.commands, program, found, writeHelp);
    }
    parent.addCommand(command);
  }
  // Without a known verb the group itself is called.
  parent.argument('[command]').allowExcessArguments(true).action((word: string | undefined) => {
    throw new UsageError(`${word === undefined ? '' : `Unknown command \`${word}'. `}${pleaseSpecify(definitions)}`);
  });
}

function fillVerb(command: Command, verb: CliVerb, program: CliProgram, found: Found): void {
  const own = (verb.options ?? []).map(makeOption);
  for (const option of own) command.addOption(option);
  addGlobals(command, own, program.globals);
  const args = verb.args ?? [];
  for (const [index] of args.entries()) command.argument(`[arg${index}]`);
  command.usage(['[OPTIONS]', ...args.map((arg) => (arg.required ? arg.name : `[${arg.name}]`))].join(' '));
  command.allowExcessArguments(true);
  if (verb.acceptsAnything) command.allowUnknownOption(true);
  command.action(() => {
    if (verb.acceptsAnything) {
      found({ verb, options: mergedOptions(command), args: command.args });
      return;
    }
    refuseForeign(verb, mergedOptions(command), program.globals);
    checkRequired(verb, command.opts());
    if (command.args.length > args.length) {
      throw new UsageError(`unexpected commandline arguments: [${command.args.slice(args.length).join(' ')}]`);
    }
    const missing = args.filter((arg, index) => arg.required && command.args[index] === undefined).map((arg) => arg.name);
    if (missing.length > 0) throw new UsageError(missingText('argument', missing, 'provided'));
    found({ verb, options: mergedOptions(command), args: args.map((_, index) => command.args[index]) });
  });
}

/** Global options are taken behind the verb too, unless the verb means something else by the letter or the name. */
function addGlobals(command: Command, own: readonly Option[], globals: readonly CliOption[]): void {
  for (const definition of globals) {
    const option = makeOption(definition).hideHelp();
    if (definition.ofVerbs) continue;
    if (own.some((mine) => mine.long === option.long)) continue;
    if (!own.some((mine) => mine.short !== undefined && mine.short === option.short)) command.addOption(option);
    else command.addOption(makeOption({ ...definition, flags: definition.flags.replace(/^-\w,\s*/, '') }).hideHelp());
  }
}

function refuseForeign(verb: CliVerb, options: Record<string, unknown>, globals: readonly CliOption[]): void {
  for (const definition of globals) {
    if (!definition.ofVerbs) continue;
    const { attribute, short, long } = namesOf(definition);
    if (options[attribute] === undefined || (verb.options ?? []).some((mine) => namesOf(mine).attribute === attribute)) continue;
    throw new UsageError(`unknown flag ${[short, long].map((name) => `\`${name.replace(/^-+/, '')}'`).join('/')}`);
  }
}

function namesOf(definition: CliOption): { attribute: string; short: string; long: string } {
  const option = new Option(definition.flags);
  return { attribute: option.attributeName(), short: option.short ?? '', long: option.long ?? '' };
}

function makeOption(definition: CliOption): Option {
  const option = new Option(definition.flags, definition.description);
  if (definition.hidden) option.hideHelp();
  const { parse, repeatable } = definition;
  if (option.required) {
    option.argParser((text: string, before: unknown) => {
      const value = parse ? parseValue(definition, parse, text) : text;
      return repeatable ? [...(Array.isArray(before) ? (before as unknown[]) : []), value] : value;
    });
  }
  return option;
}

function parseValue(definition: CliOption, parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const expected = definition.typeName === undefined ? '' : ` (expected ${definition.typeName})`;
    throw new UsageError(`invalid argument for flag \`${flagNames(definition.flags)}'${expected}: ${message}`);
  }
}

function mergedOptions(command: Command): Record<string, unknown> {
  const chain: Command[] = [];
  for (let at: Command | null = command; at; at = at.parent) chain.unshift(at);
  return Object.assign({}, ...chain.map((part) => part.opts())) as Record<string, unknown>;
}

function checkRequired(verb: CliVerb, options: Record<string, unknown>): void {
  const missing = (verb.options ?? [])
    .filter((option) => option.required && options[new Option(option.flags).attributeName()] === undefined)
    .map((option) => flagNames(option.flags))
    .sort();
  if (missing.length > 0) throw new UsageError(missingText('flag', missing, 'specified'));
}

function missingText(kind: 'flag' | 'argument', names: readonly string[], how: string): string {
  const quoted = names.map((name) => (kind === 'flag' ? `\`${name}'` : `\`${name}\``));
  if (quoted.length === 1) return `the required ${kind} ${quoted.join('')} was not ${how}`;
  return `the required ${kind}s ${joinWords(quoted, 'and')} were not ${how}`;
}

/** `-z, --size` of `-z, --size <size>`. */
function flagNames(flags: string): string {
  return flags.replace(/\s*[<[].*$/, '');
}

function pleaseSpecify(definitions: readonly (CliVerb | CliGroup)[]): string {
  const names = definitions.map((definition) => definition.name).sort();
  if (names.length === 1) return `Please specify the ${names.join('')} command`;
  return `Please specify one command of: ${joinWords(names, 'or')}`;
}

function joinWords(words: readonly string[], conjunction: string): string {
  return `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1) ?? ''}`;
}

/** Commander's failures in the words of DAOS's tools. */
function translate(error: CommanderError): UsageError {
  const flag = /'([^']*)'/.exec(error.message)?.[1] ?? '';
  switch (error.code) {
    case 'commander.unknownOption':
      return new UsageError(`unknown flag \`${flag.replace(/^-+/, '').replace(/=.*$/, '')}'`);
    case 'commander.optionMissingArgument':
      return new UsageError(`expected argument for flag \`${flagNames(flag)}'`);
    default:
      return new UsageError(error.message.replace(/^error: /, ''));
  }
}

import { readFileSync, statSync } from 'node:fs';
import { LineCounter, isMap, isScalar, isSeq, parseDocument, type Document, type Node } from 'yaml';

/** A file larger than this is no configuration. */
const CONFIG_BYTES_MAX = 1024 * 1024;
/** So many problems are named at once; the rest would only scroll the first away. */
const PROBLEMS_SHOWN_MAX = 5;

/** What is wrong at one place of a configuration file. `line` counts from 1; 0 when the place is the whole file. */
export interface ConfigProblem {
  readonly line: number;
  /** Dotted path of the key, e.g. `engines[0].targets`; empty for the document itself. */
  readonly key: string;
  readonly text: string;
}

export type ConfigErrorKind = 'missing' | 'unreadable' | 'syntax' | 'invalid';

/** A configuration file that cannot be used. The message is one line that names file, line and key. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly path: string;
  readonly kind: ConfigErrorKind;
  readonly problems: readonly ConfigProblem[];

  constructor(path: string, kind: ConfigErrorKind, problems: readonly ConfigProblem[], options?: { cause?: unknown }) {
    super(`failed to load config from ${path}: ${describeProblems(problems)}`, options);
    this.path = path;
    this.kind = kind;
    this.problems = problems;
  }
}

/** The part of a zod schema that the loader needs (so that loading this module does not load zod). */
export interface ConfigSchema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: { issues: readonly ConfigIssue[] } };
}

interface ConfigIssue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  readonly errors?: readonly (readonly ConfigIssue[])[];
}

/**
 * Reads a YAML file and checks it with a zod schema (use `z.strictObject` so that unknown keys are found). An empty
 * file is an empty map. Throws `ConfigError`.
 */
export function loadConfig<T>(path: string, schema: ConfigSchema<T>): T {
  return parseConfig(readConfigText(path), path, schema);
}

/** As `loadConfig`, from text; `path` only names the file in errors. */
export function parseConfig<T>(text: string, path: string, schema: ConfigSchema<T>): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, logLevel: 'silent' });
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0) {
    const problems = broken.map((error) => {
      const line = lines.linePos(error.pos[0]).line;
      return { line, key: '', text: error.message.split('\n', 1)[0] ?? 'syntax error' };
    });
    throw new ConfigError(path, 'syntax', problems);
  }
  const value = toPlainValue(document, path);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => problemsOfIssue(issue, document, lines));
  problems.sort((a, b) => a.line - b.line);
  throw new ConfigError(path, 'invalid', problems);
}

function readConfigText(path: string): string {
  try {
    const size = statSync(path).size;
    if (size > CONFIG_BYTES_MAX) {
      throw new ConfigError(path, 'unreadable', [{ line: 0, key: '', text: `file has ${size} bytes, more than ${CONFIG_BYTES_MAX}` }]);
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw new ConfigError(path, 'missing', [wholeFile('no such file')], { cause: error });
    throw new ConfigError(path, 'unreadable', [wholeFile(readFailure(code))], { cause: error });
  }
}

function readFailure(code: string | undefined): string {
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'EISDIR') return 'is a directory';
  return `cannot be read (${code ?? 'unknown reason'})`;
}

function wholeFile(text: string): ConfigProblem {
  return { line: 0, key: '', text };
}

function toPlainValue(document: Document, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw new ConfigError(path, 'syntax', [wholeFile(error instanceof Error ? error.message : String(error))], { cause: error });
  }
}

function problemsOfIssue(issue: ConfigIssue, document: Document, lines: LineCounter): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys' && issue.keys) {
    return issue.keys.map((key) => ({
      line: lineOf(document, [...issue.path, key], lines),
      key: keyText([...issue.path, key]),
      text: 'unknown key',
    }));
  }
  // A union reports every branch; the first is the form that the documentation shows.
  const branch = issue.code === 'invalid_union' ? issue.errors?.[0]?.[0] : undefined;
  const path = branch ? [...issue.path, ...branch.path] : issue.path;
  return [{ line: lineOf(document, path, lines), key: keyText(path), text: lowerFirst((branch ?? issue).message) }];
}

/** Line of the deepest part of `path` that the document holds; a missing key is reported at its parent. */
function lineOf(document: Document, path: readonly PropertyKey[], lines: LineCounter): number {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
      if (!pair) break;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      offset = startOf(node) ?? offset;
    } else break;
  }
  return offset === undefined ? 0 : lines.linePos(offset).line;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

function keyText(path: readonly PropertyKey[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? String(step) : `.${String(step)}`;
  }
  return text;
}

function describeProblems(problems: readonly ConfigProblem[]): string {
  const shown = problems.slice(0, PROBLEMS_SHOWN_MAX).map((problem) => {
    const where = problem.line > 0 ? `line ${problem.line}: ` : '';
    if (problem.key === '') return where + problem.text;
    return `${where}key "${problem.key}": ${problem.text}`;
  });
  const rest = problems.length - shown.length;
  if (rest > 0) shown.push(`and ${rest} more`);
  return shown.join('; ');
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

// Starts a command-line tool: from its bundle when that is up to date, else from the compiled modules.
import { readFileSync, statSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

/** @param binUrl `import.meta.url` of the program in the app's `bin` folder. */
export async function launch(binUrl) {
  // Node 22 and later keep compiled code between runs.
  nodeModule.enableCompileCache?.();
  const bundle = new URL('../dist/bundle/', binUrl);
  await import(new URL(isUpToDate(bundle) ? 'main.mjs' : '../src/main.js', bundle).href);
}

/** Whether nothing that the bundle was made of has been compiled since. */
function isUpToDate(bundle) {
  try {
    const builtMs = statSync(new URL('main.mjs', bundle)).mtimeMs;
    const sources = JSON.parse(readFileSync(new URL('built_from.json', bundle), 'utf8'));
    return sources.every((source) => statSync(fileURLToPath(new URL(source, bundle))).mtimeMs <= builtMs);
  } catch {
    return false;
  }
}

// Bundles a command-line tool: one small file to start with, further ones that are read only by the verbs that need
// them. A tool that lives for a tenth of a second must not spend most of it opening two hundred modules.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { build } from 'esbuild';

/** Stays outside: native code, and what loads native code by path. */
const EXTERNAL = ['lmdb', '@node-rs/crc32', '@daos/native', '*.node'];

/** CommonJS packages inside an ES module still call `require` for Node's own modules. */
const REQUIRE_BANNER = "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** Our own modules do nothing when loaded, so what a tool does not use of a package can be left out. */
const OWN_PACKAGES = {
  name: 'own-packages',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^(@daos\/|yaml$|zod$|\.{1,2}\/)/ }, async (args) => {
      const isOwn = args.path.startsWith('@daos/') || /\/(packages|apps)\/[^/]+\/dist\//.test(args.importer);
      if (!isOwn || args.pluginData === OWN_PACKAGES || args.path === '@daos/native' || args.kind === 'entry-point') return undefined;
      const { path, errors } = await esbuild.resolve(args.path, {
        kind: args.kind,
        resolveDir: args.resolveDir,
        importer: args.importer,
        pluginData: OWN_PACKAGES,
      });
      return errors.length > 0 ? { errors } : { path, sideEffects: false };
    });
  },
};

/** gRPC loads .proto files only for services that a client never offers. */
const NO_PROTO_LOADER = {
  name: 'no-proto-loader',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^@grpc\/proto-loader$/ }, () => ({ path: 'proto-loader', namespace: 'left-out' }));
    esbuild.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({
      contents: "exports.loadSync = () => { throw new Error('loading .proto files is left out of this bundle'); };",
      loader: 'js',
    }));
  },
};

/** Bundles `<app>/dist/src/main.js` to `<app>/dist/bundle/main.mjs`. */
export async function bundleCli(appDir, { external = [] } = {}) {
  const outdir = join(appDir, 'dist', 'bundle');
  rmSync(outdir, { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: { main: join(appDir, 'dist', 'src', 'main.js') },
    outdir,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunk-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'linked',
    external: [...EXTERNAL, ...external],
    banner: { js: REQUIRE_BANNER },
    logLevel: 'warning',
    plugins: [OWN_PACKAGES, NO_PROTO_LOADER],
    metafile: true,
  });
  writeFileSync(join(outdir, 'built_from.json'), JSON.stringify(buildStamps(metafile, outdir)));
}

/** Files that change whenever the compiler writes one of the packages in the bundle. */
function buildStamps(metafile, outdir) {
  const stamps = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const found = /^(.*?)\/dist\/src\//.exec(resolve(input));
    const stamp = found && !found[1].includes('node_modules') && join(found[1], 'dist', '.tsbuildinfo');
    if (stamp && existsSync(stamp)) stamps.add(relative(outdir, stamp));
  }
  return [...stamps];
}

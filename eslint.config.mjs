import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

import { IMPORTABLE, MAY_IMPORT } from './scripts/layers.mjs';

const IGNORED = ['**/dist/', '**/build/', '**/node_modules/', '**/gen/', '.nx/', '.daos/', '**/*.d.ts'];

/** One configuration per folder of the layer table; a more specific folder overrides the one above it. */
function layerRules() {
  const folders = Object.entries(MAY_IMPORT).sort(([a], [b]) => a.length - b.length);
  return folders.map(([folder, allowed]) => {
    const own = folder.split('/')[1];
    const forbidden = IMPORTABLE.filter((name) => !allowed.includes(name) && name.split('/')[0] !== own);
    const halves = /\/src\/dc$/.test(folder) ? [{ regex: '(^|/)ds(/|$)', message: 'A client half (dc) may not import a server half (ds).' }] : [];
    return {
      files: [folder.includes('/src') ? `${folder}/**/*.ts` : `${folder}/src/**/*.ts`],
      rules: {
        'no-restricted-imports': ['error', {
          patterns: [
            ...forbidden.map((name) => ({
              regex: `^@daos/${name}(/|$)`,
              message: `${folder} may not import @daos/${name}: see the layer table in scripts/layers.mjs.`,
            })),
            ...halves,
          ],
        }],
      },
    };
  });
}

export default tseslint.config(
  { ignores: IGNORED },
  eslint.configs.recommended,
  ...tseslint.configs.strict,
  ...tseslint.configs.stylistic,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-invalid-void-type': 'off',
      // Indexed loops are for hot paths.
      '@typescript-eslint/prefer-for-of': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'eqeqeq': 'error',
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'No default exports: name what you export.' }],
    },
  },
  ...layerRules(),
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', Buffer: 'readonly', setTimeout: 'readonly', clearTimeout: 'readonly', setInterval: 'readonly', clearInterval: 'readonly', URL: 'readonly', performance: 'readonly', AbortController: 'readonly', setImmediate: 'readonly' } },
  },
  { files: ['**/test/**/*.ts'], rules: { '@typescript-eslint/no-non-null-assertion': 'off', '@typescript-eslint/no-empty-function': 'off' } },
);

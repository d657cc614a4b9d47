import js from '@eslint/js'
import reactHooks from 'eslint-plugin-react-hooks'
import { defineConfig, globalIgnores } from 'eslint/config'
import globals from 'globals'
import tseslint from 'typescript-eslint'

// Everything that is advice rather than a bug is a warning, so that `npm run lint`
// fails only on code that is really broken.
const advice = Object.fromEntries(
  Object.keys(reactHooks.configs.flat.recommended.rules)
    .filter((rule) => rule !== 'react-hooks/rules-of-hooks')
    .map((rule) => [rule, 'warn']),
)

const noImports = (regex, message) => ({ 'no-restricted-imports': ['error', { patterns: [{ regex, message }] }] })

export default defineConfig([
  globalIgnores(['dist', 'data', 'node_modules', '.tsbuild']),
  {
    files: ['**/*.{ts,tsx}'],
    extends: [js.configs.recommended, tseslint.configs.recommended],
    rules: {
      'no-empty': ['warn', { allowEmptyCatch: true }],
      'prefer-const': 'warn',
      '@typescript-eslint/no-empty-object-type': 'warn',
      '@typescript-eslint/no-explicit-any': 'warn',
      '@typescript-eslint/no-unused-expressions': 'warn',
      '@typescript-eslint/no-unused-vars': [
        'warn',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' },
      ],
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    extends: [reactHooks.configs.flat.recommended],
    languageOptions: { globals: globals.browser },
    rules: {
      ...advice,
      ...noImports('^(\\.\\./)+server/', 'The browser gets at the server through src/lib/api.ts only.'),
    },
  },
  {
    files: ['server/**/*.ts', 'vite.config.ts'],
    languageOptions: { globals: globals.node },
    rules: noImports('^(\\.\\./)+src/|^@/', 'The server cannot use browser code; what both need goes in shared/.'),
  },
])

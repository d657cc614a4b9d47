import js from '@eslint/js'
import svelte from 'eslint-plugin-svelte'
import { defineConfig, globalIgnores } from 'eslint/config'
import globals from 'globals'
import tseslint from 'typescript-eslint'

// Everything that is advice rather than a bug is a warning, so that `npm run lint`
// fails only on code that is really broken.
export default defineConfig([
  globalIgnores(['dist', 'node_modules', '.tsbuild']),
  svelte.configs['flat/base'],
  {
    files: ['**/*.ts', '**/*.svelte'],
    extends: [js.configs.recommended, tseslint.configs.recommended, svelte.configs['flat/recommended']],
    languageOptions: {
      globals: globals.browser,
      parserOptions: { parser: tseslint.parser, extraFileExtensions: ['.svelte'] },
    },
    rules: {
      'no-empty': ['warn', { allowEmptyCatch: true }],
      'no-undef': 'off',
      'no-useless-assignment': 'off',
      'prefer-const': 'off',
      'svelte/no-useless-mustaches': 'warn',
      'svelte/prefer-svelte-reactivity': 'warn',
      'svelte/require-each-key': 'warn',
      '@typescript-eslint/no-empty-object-type': 'warn',
      '@typescript-eslint/no-explicit-any': 'warn',
      '@typescript-eslint/no-unused-expressions': 'warn',
      '@typescript-eslint/no-unused-vars': [
        'warn',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' },
      ],
    },
  },
])

// The rules that need types, in a run of their own: they take five times as long as all others together.
import vueParser from 'vue-eslint-parser'
import tseslint from 'typescript-eslint'

export default tseslint.config({
  files: ['src/**/*.ts', 'src/**/*.vue'],
  ignores: ['src/shared/api/generated/**'],
  linterOptions: { reportUnusedDisableDirectives: 'off' },
  languageOptions: {
    parser: vueParser,
    parserOptions: {
      parser: tseslint.parser,
      projectService: true,
      tsconfigRootDir: import.meta.dirname,
      extraFileExtensions: ['.vue'],
    },
  },
  plugins: { '@typescript-eslint': tseslint.plugin },
  rules: {
    '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
    // What a template's event or a watcher does with a promise is Vue's business: it reports what fails.
    '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
    '@typescript-eslint/await-thenable': 'error',
    '@typescript-eslint/switch-exhaustiveness-check': 'error',
  },
})

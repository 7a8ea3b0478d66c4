import pluginVue from 'eslint-plugin-vue'
import prettier from 'eslint-config-prettier'
import a11y from 'eslint-plugin-vuejs-accessibility'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'src/shared/api/generated/**'] },
  ...tseslint.configs.strict,
  ...pluginVue.configs['flat/recommended'],
  ...a11y.configs['flat/recommended'],
  // How code is laid out is Prettier's alone.
  prettier,
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
  },
  {
    rules: {
      'no-console': 'error',
      'max-lines': ['error', 300],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      'vue/html-self-closing': ['error', { html: { void: 'any', normal: 'always', component: 'always' } }],
      'vue/no-v-html': 'error',
      // Nuxt UI's fields bring label and input together by id; the rule sees only plain HTML.
      'vuejs-accessibility/label-has-for': ['error', { required: { some: ['nesting', 'id'] } }],
    },
  },
  {
    // A spec is one long list of cases, and a script talks to the terminal.
    files: ['**/*.spec.ts', 'scripts/**', 'src/shared/testing/**'],
    rules: { 'max-lines-per-function': 'off', 'no-console': 'off', 'vue/one-component-per-file': 'off' },
  },
)

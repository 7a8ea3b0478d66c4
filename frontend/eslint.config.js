import { fileURLToPath } from 'node:url'
import boundaries from 'eslint-plugin-boundaries'
import pluginVue from 'eslint-plugin-vue'
import prettier from 'eslint-config-prettier'
import a11y from 'eslint-plugin-vuejs-accessibility'
import tseslint from 'typescript-eslint'
import { sidedClasses } from './scripts/logicalClasses.mjs'
import plainRows from './scripts/plainRows.mjs'

/** A rule of the layers: what is so may depend on elements of these types. */
const allow = (from, ...types) => ({ from, allow: { to: { element: { types: { anyOf: types } } } } })

/** What a visitor's first page is made of. */
const plain = [
  'src/app/{App,AppAnnouncer,AppStatus,PageBoundary}.vue',
  'src/app/layouts/{AdminLayout,BarTools,LanguageButton,PageFooter,PhoneBar,ThemeButton,TopLayout}.vue',
  'src/app/pages/*.vue',
  'src/features/search/**',
  'src/features/tasks/pages/TaskPage.vue',
  'src/features/tasks/components/{ProfessionalRow,TaskPicture}.vue',
  'src/features/accounts/pages/{SignInPage,SignUpPage}.vue',
  'src/features/accounts/components/{AccountFields,AuthSheet,CredentialFields,PasswordInput,SignInForm}.vue',
  'src/features/notifications/components/NotificationBell.vue',
  'src/features/profiles/pages/ProfessionalPage.vue',
  'src/features/profiles/components/{OfferedTasks,ProfileHead,ProfileReviews,ProfileView,RatingSummary,ReviewItem}.vue',
  'src/features/dashboard/pages/*.vue',
  'src/features/dashboard/components/{ActionTile,BarChart,ChartPanel,StatsPanels}.vue',
  'src/features/task-requests/pages/InboxPage.vue',
  'src/features/task-requests/components/{InboxFilters,NewCount,RejectMenu,RequestCard}.vue',
  'src/shared/ui/{AppForm,DateFilter,EmptyState,ErrorState,FilterTabs,KeysetList,LongText,MoneyText,MoreRows,PageHeader}.vue',
  'src/shared/ui/{PlaceInput,ProfilePhoto,QueryView,RatingBars,RatingText,StaleNotice,TimeText,TypeAhead,WordMark}.vue',
  'src/shared/ui/plain/**',
]

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
    // The application knows the features, features know what is shared, and shared parts know neither.
    files: ['src/**'],
    plugins: { boundaries },
    settings: {
      'import/resolver': { [fileURLToPath(new URL('./scripts/resolver.mjs', import.meta.url))]: {} },
      'boundaries/root-path': fileURLToPath(new URL('.', import.meta.url)),
      'boundaries/elements': [
        { type: 'testing', pattern: 'src/shared/testing' },
        { type: 'shared', pattern: 'src/shared' },
        { type: 'feature', pattern: 'src/features/*', capture: ['feature'] },
        { type: 'app', pattern: 'src/app' },
        { type: 'texts', pattern: 'src/locales' },
      ],
      'boundaries/files': [{ category: 'spec', pattern: '**/*.spec.ts' }],
    },
    rules: {
      'boundaries/dependencies': [
        'error',
        {
          default: 'disallow',
          policies: [
            allow({ element: { type: 'app' } }, 'app', 'shared', 'texts'),
            allow({ element: { type: 'feature' } }, 'shared', 'texts'),
            allow({ element: { type: 'shared' } }, 'shared', 'texts'),
            allow({ element: { type: 'texts' } }, 'texts'),
            allow({ element: { type: 'testing' } }, 'testing', 'app', 'shared'),
            allow({ file: { categories: 'spec' } }, 'testing'),
            // Within itself a feature is open; others use what its index.ts offers.
            {
              from: { element: { type: 'feature' } },
              allow: {
                to: {
                  element: { type: 'feature', captured: { feature: '{{ from.element.captured.feature }}' } },
                },
              },
            },
            {
              from: { element: { types: { anyOf: ['app', 'feature'] } } },
              allow: { to: { element: { type: 'feature', fileInternalPath: 'index.ts' } } },
            },
          ],
        },
      ],
    },
  },
  {
    files: ['src/**/*.vue'],
    plugins: { doorstep: { rules: { 'plain-rows': plainRows } } },
    rules: { 'doorstep/plain-rows': 'error' },
  },
  {
    rules: {
      'no-console': 'error',
      'max-lines': ['error', 300],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      'vue/html-self-closing': ['error', { html: { void: 'any', normal: 'always', component: 'always' } }],
      'vue/no-v-html': 'error',
      'vue/no-restricted-class': ['error', ...sidedClasses],
      // Nuxt UI's fields bring label and input together by id; the rule sees only plain HTML.
      'vuejs-accessibility/label-has-for': ['error', { required: { some: ['nesting', 'id'] } }],
    },
  },
  {
    // Pages that people come in by, and what stands around them: plain parts only. Nuxt UI's are known in templates without
    // an import, so each part that is used has to be imported here. Rows of lists have a rule of their own.
    files: plain,
    ignores: ['**/*.spec.ts'],
    rules: {
      'vue/no-undef-components': ['error', { ignorePatterns: ['RouterLink', 'RouterView'] }],
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^(@nuxt/ui(/components/.*)?|reka-ui)$', allowTypeImports: true }] },
      ],
    },
  },
  {
    // A spec is one long list of cases, and a script talks to the terminal.
    files: ['**/*.spec.ts', 'scripts/**', 'src/shared/testing/**'],
    rules: { 'max-lines-per-function': 'off', 'no-console': 'off', 'vue/one-component-per-file': 'off' },
  },
)

/** How the unit tests run. Most files share a page and its modules, which src/shared/testing/setup.ts leaves as it found them. */
import { globSync, readFileSync } from 'node:fs'
import { defineConfig, mergeConfig } from 'vitest/config'
import application from './vite.config'

const specs = 'src/**/*.spec.ts'
/** Files that replace modules or load them again have modules, and so a page, of their own. */
const replacing = globSync(specs).filter((file) =>
  /\bvi\.(mock|doMock|resetModules)\(/.test(readFileSync(file, 'utf8')),
)

export default defineConfig((environment) =>
  mergeConfig(application(environment), {
    test: {
      environment: 'happy-dom',
      environmentOptions: {
        happyDOM: {
          url: 'http://localhost:5000/app/',
          // Following a link would end the page that the files after this one share.
          settings: { navigation: { disableMainFrameNavigation: true, disableFallbackToSetURL: true } },
        },
      },
      setupFiles: ['src/shared/testing/setup.ts'],
      pool: 'threads',
      maxWorkers: 2,
      testTimeout: 60_000, // a busy machine is slow, not wrong
      hookTimeout: 60_000,
      silent: 'passed-only',
      projects: [
        {
          extends: true,
          test: {
            name: 'shared',
            isolate: false,
            include: [specs],
            exclude: replacing,
            sequence: { groupOrder: 1 }, // after the others: a worker that has served another project is not kept
          },
        },
        { extends: true, test: { name: 'own', include: replacing } },
      ],
    },
  }),
)

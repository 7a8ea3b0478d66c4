import { Linter } from 'eslint'
import pluginVue from 'eslint-plugin-vue'
import vueParser from 'vue-eslint-parser'
import { expect, it } from 'vitest'
import { sidedClasses } from '../../scripts/logicalClasses.mjs'

const rule = 'vue/no-restricted-class'

/** What the rule of our configuration says about these classes. */
function refused(classes: string): string[] {
  const found = new Linter().verify(
    `<template><p class="${classes}" /><p :class="{ '${classes}': on }" /></template>`,
    [
      {
        files: ['**/*.vue'],
        languageOptions: { parser: vueParser },
        plugins: { vue: pluginVue as never },
        rules: { [rule]: ['error', ...sidedClasses] },
      },
    ],
    'Sample.vue',
  )
  return found.map(({ ruleId }) => String(ruleId))
}

it.each(['ml-2', 'sm:-mr-4', 'left-0', 'border-l', 'hover:rounded-tr-lg', 'text-left', 'md:float-right'])(
  'refuses %s, in a plain class and in a bound one',
  (name) => expect(refused(name)).toEqual([rule, rule]),
)

it.each(['ms-2', 'sm:-me-4', 'start-0', 'border-s', 'hover:rounded-se-lg', 'text-start', 'md:float-end'])(
  'takes %s',
  (name) => expect(refused(name)).toEqual([]),
)

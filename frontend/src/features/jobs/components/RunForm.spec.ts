import { expect, it } from 'vitest'
import { h } from 'vue'
import type { Job } from '@/shared/api/generated'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import RunForm from './RunForm.vue'

it('does not start a run for everyone when a name was typed but not chosen', async () => {
  answer('get', '/customers', [200, { items: [], next_cursor: null }])
  const runs = answer('post', '/jobs/monthly-reports/run', [202, {}])
  await show(
    {
      render: () =>
        h(RunForm, { open: true, job: { name: 'monthly-reports' } as Job, title: 'Monthly reports' }),
    },
    { user: someone('admin') },
  )
  await until(() => document.querySelector('[role="combobox"]') !== null, 'the form')
  const field = document.querySelector<HTMLInputElement>('[role="combobox"]')
  if (!field) throw new Error('no field')
  field.value = 'Asha'
  field.dispatchEvent(new Event('input', { bubbles: true }))
  document.querySelector('form')?.dispatchEvent(new Event('submit', { cancelable: true }))
  await until(() => document.body.textContent.includes('Choose a name from the list'), 'the refusal')
  expect(document.activeElement).toBe(field)
  expect(runs).toHaveLength(0)
  field.value = ''
  field.dispatchEvent(new Event('input', { bubbles: true }))
  document.querySelector('form')?.dispatchEvent(new Event('submit', { cancelable: true }))
  await until(() => runs.length === 1, 'the run for all')
})

import { describe, expect, it } from 'vitest'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import ApprovalPage from './ApprovalPage.vue'

const button = (text: string) =>
  [...document.querySelectorAll('button')].find((one) => one.textContent?.trim() === text)

describe('ApprovalPage', () => {
  it('warns an approved professional about the effect of uploading another document', async () => {
    const ravi = someone('professional', { approval: 'approved', isactive: 1 })
    answer('get', '/me', [200, ravi])
    answer('get', '/me/document', [200, {}])
    await show(ApprovalPage, { user: ravi })
    expect(document.body.textContent).not.toContain('next 24 hours will be released')
    await until(() => button('Replace document') !== undefined, 'the button')
    button('Replace document')?.click()
    await until(() => document.body.textContent.includes('next 24 hours will be released'), 'the warning')
  })
})

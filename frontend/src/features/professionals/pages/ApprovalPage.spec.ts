import { http } from 'msw'
import { afterEach, describe, expect, it, vi } from 'vitest'
import common from '@/locales/en/common.json'
import errors from '@/locales/en/errors.json'
import professionals from '@/locales/en/professionals.json'
import { offlineSeconds } from '@/shared/composables/useUpload'
import { appStatus } from '@/shared/lib/appStatus'
import { show, someone, until } from '@/shared/testing/mount'
import { alert, press, says, sees } from '@/shared/testing/screen'
import { answer, server } from '@/shared/testing/server'
import ApprovalPage from './ApprovalPage.vue'

const button = (text: string) =>
  [...document.querySelectorAll('button')].find((one) => one.textContent?.trim() === text)

afterEach(() => {
  vi.useRealTimers()
  appStatus.online = true
})

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
  it('stops an upload without a connection, and sends the same file once it is back', async () => {
    const ravi = someone('professional', { approval: 'document_missing', isactive: 0 })
    answer('get', '/me', [200, ravi])
    answer('get', '/me/document', [200, {}])
    let calls = 0
    server.use(
      http.put('*/me/document', () => {
        calls += 1
        return new Promise<never>(() => undefined)
      }),
    )
    const { wrapper } = await show(ApprovalPage, { user: ravi })
    const input = wrapper.find<HTMLInputElement>('input[type="file"]')
    const licence = new File(['%PDF-1.7 a licence'], 'licence.pdf', { type: 'application/pdf' })
    Object.defineProperty(input.element, 'files', { value: [licence], configurable: true })
    await input.trigger('change')
    await sees('licence.pdf')
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true })
    await press(professionals.document.send)
    await until(() => calls === 1, 'the upload')
    appStatus.online = false
    await sees(common.file.offline.replace('{seconds}', String(offlineSeconds)))
    await vi.advanceTimersByTimeAsync(offlineSeconds * 1000)
    await until(() => alert() === errors.offline, 'the reason')
    expect(says('licence.pdf')).toBe(true)

    appStatus.online = true
    const sent = answer('put', '/me/document', [200, { ...ravi, approval: 'pending' }])
    await press(professionals.document.send)
    await until(() => sent.length === 1, 'the second upload')
    expect(sent[0]?.body).toContain('licence.pdf')
  })
})

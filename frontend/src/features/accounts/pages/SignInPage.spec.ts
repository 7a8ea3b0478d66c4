import { describe, expect, it } from 'vitest'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import SignInPage from './SignInPage.vue'

const signIn = (role: 'customer' | 'professional' | 'admin', isactive: 0 | 1 = 1) => ({
  access_token: 'a',
  token_type: 'Bearer',
  expires_in: 1,
  role,
  user: someone(role, { isactive }),
})

async function signInAt(path: string) {
  const { wrapper, router } = await show(SignInPage, { path })
  const [username, password] = wrapper.findAll('input')
  await username?.setValue('asha')
  await password?.setValue('four words are better')
  await wrapper.find('form').trigger('submit')
  return { wrapper, router, password }
}

describe('SignInPage', () => {
  it.each([
    ['admin', 1, '/admin'],
    ['professional', 1, '/inbox'],
    ['professional', 0, '/approval'],
    ['customer', 1, '/'],
  ] as const)('leads a %s (active %i) to %s', async (role, isactive, home) => {
    answer('post', '/check', [200, signIn(role, isactive)])
    const { router } = await signInAt('/sign-in')
    await until(() => router.currentRoute.value.path === home, home)
  })

  it('continues to the requested page', async () => {
    answer('post', '/check', [200, signIn('customer')])
    const { router } = await signInAt('/sign-in?next=/tasks/3/ask')
    await until(() => router.currentRoute.value.path === '/tasks/3/ask', 'the page')
  })

  it('shows the error, keeps the username and clears the password', async () => {
    answer('post', '/check', [401, { code: 'invalid_credentials' }])
    const { wrapper, password } = await signInAt('/sign-in')
    await until(() => wrapper.find('[role="alert"]').exists(), 'the banner')
    expect(wrapper.find('[role="alert"]').text()).toContain('The username or password is wrong.')
    expect(wrapper.find('input').element.value).toBe('asha')
    expect(password?.element.value).toBe('')
  })
})

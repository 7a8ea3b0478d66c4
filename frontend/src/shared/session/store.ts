/** Who is signed in. The only state that pages share; everything else is the server's and comes by vue-query. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { check, getMe, logout } from '@/shared/api/generated'
import { refreshSession, setToken, ShutOut } from '@/shared/api/token'
import type { Account, Role, SignIn } from '@/shared/api/types'

export const useSession = defineStore('session', () => {
  const user = ref<Account | null>(null)
  /** True while the person is asked to sign in again over the page they are on. */
  const asking = ref(false)
  /** True when the session could not be taken up again because the account is blocked; for the first page to say. */
  const shutOut = ref(false)
  let answer: ((signedIn: boolean) => void) | null = null
  let restoring: Promise<void> | null = null

  const role = computed<Role | null>(() => user.value?.role ?? null)
  const signedIn = computed(() => user.value !== null)
  /** A professional whom no admin has approved yet sees little more than where the approval stands. */
  const waiting = computed(() => role.value === 'professional' && user.value?.isactive !== 1)

  function adopt(answered: SignIn): void {
    setToken(answered.access_token, answered.expires_in)
    user.value = answered.user
    answer?.(true)
    answer = null
    asking.value = false
  }

  function forget(): void {
    setToken(null)
    user.value = null
    answer?.(false)
    answer = null
    asking.value = false
  }

  /** Once per load: the cookie, if there is one, becomes a session again. */
  function restore(): Promise<void> {
    restoring ??= refreshSession()
      .then((answered) => (answered ? adopt(answered) : undefined))
      .catch((error: unknown) => {
        shutOut.value = error instanceof ShutOut
      })
    return restoring
  }

  async function signIn(credentials: { username: string; password: string }): Promise<Account> {
    const { data } = await check({ body: credentials })
    adopt(data)
    return data.user
  }

  async function signOut(): Promise<void> {
    try {
      await logout()
    } finally {
      forget()
    }
  }

  async function reload(): Promise<void> {
    user.value = (await getMe()).data
  }

  function askAgain(): Promise<boolean> {
    asking.value = true
    return new Promise((resolve) => {
      const earlier = answer
      answer = (done) => {
        earlier?.(done)
        resolve(done)
      }
    })
  }

  return { user, role, signedIn, waiting, asking, shutOut, adopt, forget, restore, signIn, signOut, reload, askAgain }
})

/** Where each role begins. */
export function homeOf(account: Account | null): string {
  if (account?.role === 'admin') return '/admin'
  if (account?.role === 'professional') return account.isactive === 1 ? '/inbox' : '/approval'
  return '/'
}

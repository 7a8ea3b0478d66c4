/** Who is signed in. The only state that pages share; everything else is the server's and comes by vue-query. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { AccountChanged, actAs } from '@/shared/api/identity'
import { csrfToken, dropCsrfToken, OtherAccount, refreshSession, setToken, ShutOut } from '@/shared/api/token'
import type { Account, Role, SignIn } from '@/shared/api/types'
import { dropDrafts, forgetPlace, keptAccount } from './kept'
import { announce } from './tabs'

const calls = () => import('./calls')

/** A question over the page that the user is on, asked once for all calls that wait for its answer. */
function question() {
  const asking = ref(false)
  let waiting: ((signedIn: boolean) => void)[] = []

  function ask(): Promise<boolean> {
    asking.value = true
    return new Promise((resolve) => waiting.push(resolve))
  }
  function settle(signedIn: boolean): void {
    asking.value = false
    const answered = waiting
    waiting = []
    for (const resolve of answered) resolve(signedIn)
  }
  return { asking, ask, settle }
}

/** The password once more, for what outlives a session. */
function passwordProof() {
  const { asking: proving, ask: askForPassword, settle: endProof } = question()

  async function confirmPassword(password: string): Promise<void> {
    await (await calls()).confirmPasswordMe({ body: { password } })
    endProof(true)
  }
  return { proving, askForPassword, confirmPassword, endProof }
}

/** The account that is signed in, and what follows from it. */
function accountState() {
  const user = ref<Account | null>(null)
  const role = computed<Role | null>(() => user.value?.role ?? null)
  const signedIn = computed(() => user.value !== null)
  /** A professional whom no admin has approved yet sees little more than where the approval stands. */
  const waiting = computed(() => role.value === 'professional' && user.value?.isactive !== 1)

  /** The account as the server has it now. */
  function update(account: Account): void {
    if (user.value?.id === account.id) user.value = account
  }
  const reload = async (): Promise<void> => update((await (await calls()).getMe()).data)
  /** The server cannot say who is signed in: it is taken to be who it was. Returns true, since that is not known. */
  function assume(): true {
    const before = keptAccount()
    if (before === null || csrfToken() === null) return true
    actAs(before.id)
    user.value = before
    return true
  }
  return { user, role, signedIn, waiting, update, reload, assume }
}

/** What a page holds back for a while, and sends before its user signs out. */
function heldBack() {
  const unfinished = new Set<() => Promise<unknown>>()

  /** Return what takes it off the list. */
  function beforeSignOut(finish: () => Promise<unknown>): () => void {
    unfinished.add(finish)
    return () => unfinished.delete(finish)
  }
  const finishAll = () => Promise.allSettled([...unfinished].map((finish) => finish()))
  return { beforeSignOut, finishAll }
}

/** Where the server cannot be reached, its session ends by itself later. */
async function endSession(): Promise<void> {
  try {
    await (await calls()).logout()
  } catch {
    dropCsrfToken()
  }
}

export const useSession = defineStore('session', () => {
  const account = accountState()
  const { user } = account
  const { beforeSignOut, finishAll } = heldBack()
  const [{ asking, ask: askAgain, settle }, { endProof, ...proof }] = [question(), passwordProof()]
  /** True when the session could not be taken up again because the account is blocked; for the first page to say. */
  const shutOut = ref(false)
  /** True while nobody knows whether there is a session: the server could not be asked. */
  const unknown = ref(false)
  let restoring: Promise<void> | null = null

  function adopt(answered: SignIn): void {
    const same = user.value === null || user.value.id === answered.user.id
    actAs(answered.user.id)
    setToken(answered.access_token, answered.expires_in)
    dropDrafts(answered.user.id)
    if (!same) forgetPlace()
    unknown.value = false
    user.value = answered.user
    settle(same)
  }

  /** This tab acts for nobody from now on. Drafts stay for who only steps aside to sign in again. */
  function forget({ keepDrafts = false } = {}): void {
    actAs(null)
    setToken(null)
    forgetPlace()
    if (!keepDrafts) dropDrafts()
    user.value = null
    settle(false)
    endProof(false)
  }

  /** Adopt the session of the browser's cookie, of any account. */
  async function follow(): Promise<void> {
    try {
      const renewed = await refreshSession()
      if (renewed) adopt(renewed)
      else if (user.value) forget()
      unknown.value = false
    } catch (error) {
      if (error instanceof OtherAccount) adopt(error.signIn)
      else if (error instanceof ShutOut) {
        forget()
        shutOut.value = true
      } else if (!(error instanceof AccountChanged)) throw error
    }
  }

  /** Once per load: restore the session from the cookie. While the server is unavailable the user may stay unknown. */
  function restore(): Promise<void> {
    if (user.value === null) restoring ??= follow().catch(() => void (unknown.value = account.assume()))
    return restoring ?? Promise.resolve()
  }

  async function signIn(credentials: { username: string; password: string }): Promise<Account> {
    const { data } = await (await calls()).check({ body: credentials })
    adopt(data)
    announce({ kind: 'signed-in', account: data.user.id })
    return data.user
  }

  /** Always signs out this browser. */
  async function signOut(): Promise<void> {
    const id = user.value?.id
    await finishAll()
    await endSession()
    signedOut(id)
  }

  /** The server has ended the session: this tab and the others follow. */
  function signedOut(id = user.value?.id): void {
    if (id === undefined) return
    forget()
    announce({ kind: 'signed-out', account: id })
  }

  return {
    ...account,
    asking,
    shutOut,
    unknown,
    adopt,
    forget,
    follow,
    restore,
    signIn,
    signOut,
    signedOut,
    beforeSignOut,
    askAgain,
    endProof,
    ...proof,
  }
})

/** Where each role begins. */
export function homeOf(account: Account | null): string {
  if (account?.role === 'admin') return '/admin'
  if (account?.role === 'professional') return account.isactive === 1 ? '/inbox' : '/approval'
  return '/'
}

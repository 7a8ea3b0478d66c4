/** Where one is signed in. */
import { useMutation, useQueryClient } from '@tanstack/vue-query'
import { deleteMySession, listMySessions, logoutEverywhere, type Session } from '@/shared/api/generated'
import { useKeysetList } from '@/shared/composables/useKeysetList'

/** A device in two words, from what its browser says about itself; null where it says nothing that is known. */
export function deviceOf(agent: string | null): { browser: string; system: string } | null {
  if (!agent) return null
  const first = (names: [RegExp, string][]) => names.find(([sign]) => sign.test(agent))?.[1] ?? ''
  const browser = first([
    [/Edg\//, 'Edge'],
    [/OPR\//, 'Opera'],
    [/SamsungBrowser/, 'Samsung Internet'],
    [/Firefox\//, 'Firefox'],
    [/Chrome\//, 'Chrome'],
    [/Safari\//, 'Safari'],
  ])
  const system = first([
    [/Android/, 'Android'],
    [/iPhone|iPad/, 'iOS'],
    [/Windows/, 'Windows'],
    [/Mac OS X/, 'macOS'],
    [/CrOS/, 'ChromeOS'],
    [/Linux/, 'Linux'],
  ])
  return browser ? { browser, system } : null
}

export function useSessions() {
  const client = useQueryClient()
  const list = useKeysetList<Session>({
    key: ['accounts', 'sessions'],
    load: async ({ cursor, signal }) => (await listMySessions({ query: { cursor }, signal })).data,
  })
  const end = useMutation({
    mutationFn: (id: string) => deleteMySession({ path: { session_id: id } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['accounts', 'sessions'] }),
  })
  const endAll = useMutation({ mutationFn: () => logoutEverywhere() })
  return { list, end, endAll }
}

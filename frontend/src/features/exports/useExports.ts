/** Exports: started, watched while they run, cancelled, and taken home as a file. */
import { useMutation, useQueryClient } from '@tanstack/vue-query'
import { ref, type MaybeRefOrGetter } from 'vue'
import {
  cancelExport,
  createExport,
  downloadExport,
  listExports,
  type Export,
  type NewExport,
} from '@/shared/api/generated'
import { useKeysetList } from '@/shared/composables/useKeysetList'

export const states = ['queued', 'running', 'done', 'failed'] as const
export type State = (typeof states)[number]
export const isOpen = (one: Pick<Export, 'status'>): boolean =>
  one.status === 'queued' || one.status === 'running'

/** What the running ones look like; null when none runs. */
export function fingerprint(
  exports: readonly Pick<Export, 'id' | 'status' | 'progress' | 'rows'>[],
): string | null {
  const open = exports.filter(isOpen)
  return open.length
    ? open.map((one) => `${one.id}:${one.status}:${one.progress}:${one.rows}`).join(' ')
    : null
}

export function useExportList(status: MaybeRefOrGetter<State | undefined>) {
  return useKeysetList<Export, State | undefined>({
    key: ['exports'],
    filters: status,
    load: async ({ filters: asked, cursor, signal }) =>
      (await listExports({ query: { status: asked, cursor }, signal })).data,
    fingerprint,
  })
}

export function useExportCalls() {
  const client = useQueryClient()
  const refresh = () => client.invalidateQueries({ queryKey: ['exports'] })
  const start = useMutation({
    mutationFn: ({ key, ...body }: NewExport & { key: string }) =>
      createExport({ body, headers: { 'Idempotency-Key': key } }),
    onSuccess: refresh,
  })
  const cancel = useMutation({
    mutationFn: (id: number) => cancelExport({ path: { export_id: id } }),
    onSettled: refresh,
  })
  return { start, cancel }
}

/** attachment; filename="doorstep-2026.csv" → doorstep-2026.csv */
export function fileName(disposition: unknown, id: number): string {
  const text = typeof disposition === 'string' ? disposition : ''
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(text)?.[1]
  const name = encoded ? decodeURIComponent(encoded) : /filename="?([^";]+)"?/i.exec(text)?.[1]
  return (name ?? `doorstep-export-${id}.csv`).replace(/[\\/]/g, '-')
}

/** The file is private: it comes with our token, and goes to the person's disk from memory. */
export function useDownload() {
  const loaded = ref<Record<number, number>>({})

  async function download(one: Export): Promise<void> {
    loaded.value[one.id] = 0
    try {
      const { data, headers } = await downloadExport({
        path: { export_id: one.id },
        responseType: 'blob',
        headers: { Accept: 'text/csv, application/problem+json' },
        timeout: 0,
        onDownloadProgress: ({ loaded: bytes }) => {
          loaded.value[one.id] = one.size ? Math.min(100, Math.round((bytes / one.size) * 100)) : 0
        },
      })
      const url = URL.createObjectURL(data as unknown as Blob)
      const link = document.createElement('a')
      link.href = url
      link.download = fileName(headers['content-disposition'], one.id)
      link.click()
      window.setTimeout(() => URL.revokeObjectURL(url), 10_000)
    } finally {
      Reflect.deleteProperty(loaded.value, one.id)
    }
  }
  return { download, loaded }
}

/** Exports: listed while they run, started, and downloaded as a file. */
import { ref, toValue, type MaybeRefOrGetter } from 'vue'
import { useI18n } from 'vue-i18n'
import {
  createExportMutation,
  downloadExport,
  listExportsInfiniteOptions,
  type Export,
} from '@/shared/api/generated'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { useToasts } from '@/shared/composables/useToasts'

export const states = ['queued', 'running', 'done', 'failed'] as const
export type State = (typeof states)[number]
export const isOpen = (one: Pick<Export, 'status'>): boolean =>
  one.status === 'queued' || one.status === 'running'

/** The progress of those under way as text; null when there are none. */
export function fingerprint(
  exports: readonly Pick<Export, 'id' | 'status' | 'progress' | 'rows'>[],
): string | null {
  const open = exports.filter(isOpen)
  return open.length
    ? open.map((one) => `${one.id}:${one.status}:${one.progress}:${one.rows}`).join(' ')
    : null
}

export function useExportList(status: MaybeRefOrGetter<State | undefined>) {
  return useKeysetList(() => listExportsInfiniteOptions({ query: { status: toValue(status) } }), {
    fingerprint,
  })
}

export function useStartExport() {
  const { t } = useI18n()
  const toasts = useToasts()
  return useApiMutation(createExportMutation(), {
    idempotent: true,
    onSuccess: () => toasts.success(t('exports.started'), t('exports.startedHint')),
  })
}

/** attachment; filename="doorstep-2026.csv" → doorstep-2026.csv */
export function fileName(disposition: unknown, id: number): string {
  const text = typeof disposition === 'string' ? disposition : ''
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(text)?.[1]
  const name = encoded ? decodeURIComponent(encoded) : /filename="?([^";]+)"?/i.exec(text)?.[1]
  return (name ?? `doorstep-export-${id}.csv`).replace(/[\\/]/g, '-')
}

/** The file is private: it is requested with the access token and saved from memory. */
export function useDownload() {
  const loaded = ref<Record<number, number>>({})

  async function download(one: Export): Promise<void> {
    loaded.value[one.id] = 0
    try {
      const { data, headers } = await downloadExport({
        path: { export_id: one.id },
        // The generated call reads text/... as text.
        responseType: 'blob',
        headers: { Accept: 'text/csv, application/problem+json' },
        timeout: 0,
        onDownloadProgress: ({ loaded: bytes }) => {
          loaded.value[one.id] = one.size ? Math.min(100, Math.round((bytes / one.size) * 100)) : 0
        },
      })
      const url = URL.createObjectURL(data)
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

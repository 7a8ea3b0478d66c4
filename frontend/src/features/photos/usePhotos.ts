/** Photos of requests, and their content, which only a call with a token may read. */
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import {
  deletePhotoMutation,
  getPhoto,
  getRequestPhotosOptions,
  type RequestPhoto,
} from '@/shared/api/generated'
import type { Signalled } from '@/shared/api/types'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import { useObjectUrl } from '@/shared/composables/useObjectUrl'

export type Photo = RequestPhoto
export type Phase = Photo['phase']
export const phases = ['problem', 'before', 'after'] as const
/** What the server takes, as it checks the content; some browsers give HEIC no type. */
export const accepted =
  'image/jpeg,image/png,image/webp,image/heic,image/heif,.jpg,.jpeg,.png,.webp,.heic,.heif'
export const most = 12

export const isPhoto = (file: File): boolean =>
  /^image\/(jpeg|png|webp|hei[cf])$/.test(file.type) || /\.(jpe?g|png|webp|hei[cf])$/i.test(file.name)

export function useRequestPhotos(requestId: MaybeRefOrGetter<number>) {
  return useQuery(computed(() => getRequestPhotosOptions({ path: { request_id: toValue(requestId) } })))
}

/**
 * The address of a photo's content, and its query. The content never changes: its key has none of the tags that make the answers
 * about a request stale.
 */
export function usePicture(
  id: MaybeRefOrGetter<number>,
  size: 'full' | 'thumb',
  enabled: MaybeRefOrGetter<boolean> = true,
) {
  const query = useQuery(
    computed(() => ({
      queryKey: ['photo', toValue(id), size],
      queryFn: async ({ signal }: Signalled): Promise<Blob> =>
        (await getPhoto({ path: { photo_id: toValue(id) }, query: { size }, signal })).data,
      enabled: () => toValue(enabled),
      staleTime: Infinity,
      gcTime: 60_000,
    })),
  )
  return { query, url: useObjectUrl(query.data) }
}

export const useDeletePhoto = () =>
  useApiMutation(deletePhotoMutation(), {
    success: 'photos.deleted',
    invalidates: ['Photos', 'Checklists', 'Requests'],
  })

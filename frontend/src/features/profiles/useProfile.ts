/** The professional's own profile, and the photos that admins decide on. */
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import {
  approveProfilePhoto,
  deleteMyProfilePhotoMutation,
  getMyProfileOptions,
  getMyProfilePhoto,
  getMyProfilePhotoQueryKey,
  getProfilePhoto,
  getProfilePhotoQueryKey,
  listProfilePhotosInfiniteOptions,
  putMyProfilePhotoMutation,
  rejectProfilePhoto,
  type ListProfilePhotosData,
  type ProfilePhoto as Photo,
} from '@/shared/api/generated'
import type { Signalled } from '@/shared/api/types'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { useObjectUrl } from '@/shared/composables/useObjectUrl'
import { useUpload } from '@/shared/composables/useUpload'
import { withoutLive } from '@/shared/lib/polling'

export const photoStates = ['pending', 'approved', 'rejected'] as const
export type PhotoState = NonNullable<NonNullable<ListProfilePhotosData['query']>['state']>

export const useMyProfile = () => useQuery(getMyProfileOptions())

/** A picture that only its owner or an admin may read: the call needs their token, so it is shown as a blob. */
function usePrivatePicture(
  key: () => readonly unknown[] | null,
  read: (signal: AbortSignal) => Promise<Blob>,
) {
  const query = useQuery(
    computed(() => {
      const now = key()
      return {
        queryKey: now ?? ['no photo'],
        queryFn: ({ signal }: Signalled) => read(signal),
        enabled: now !== null,
        staleTime: 60_000,
        gcTime: 0,
      }
    }),
  )
  return useObjectUrl(query.data)
}

/** The photo that was uploaded last, whatever was decided on it. */
export function useMyPhoto(id: MaybeRefOrGetter<number | undefined>) {
  return usePrivatePicture(
    () => {
      const photo = toValue(id)
      return photo === undefined ? null : [...getMyProfilePhotoQueryKey(), photo]
    },
    async (signal) => (await getMyProfilePhoto({ signal })).data,
  )
}

export function usePhotoPicture(id: MaybeRefOrGetter<number>) {
  const path = () => ({ photo_id: toValue(id) })
  return usePrivatePicture(
    () => getProfilePhotoQueryKey({ path: path() }),
    async (signal) => (await getProfilePhoto({ path: path(), signal })).data,
  )
}

export function useUploadPhoto() {
  const { upload, progress } = useUpload()
  const { send, isPending } = useApiMutation(putMyProfilePhotoMutation(), {
    success: 'profiles.mine.uploaded',
  })

  const submit = (photo: File) => upload((options) => send({ body: { photo }, ...options }))
  return { submit, progress, isPending }
}

export const useDeletePhoto = () =>
  useApiMutation(deleteMyProfilePhotoMutation(), { success: 'profiles.mine.deleted' })

export function usePhotoQueue(state: MaybeRefOrGetter<PhotoState>) {
  return useKeysetList(() => listProfilePhotosInfiniteOptions({ query: { state: toValue(state) } }), {
    every: withoutLive,
  })
}

export type PhotoDecision = { verb: 'approve' } | { verb: 'reject'; reason: string }

/** The call names the photo, so the server refuses one that was replaced since. */
export function usePhotoDecision() {
  return useApiMutation(
    {
      mutationFn: ({ photo, ...decision }: { photo: Photo } & PhotoDecision): Promise<unknown> => {
        const path = { photo_id: photo.id }
        return decision.verb === 'reject'
          ? rejectProfilePhoto({ path, body: { reason: decision.reason } })
          : approveProfilePhoto({ path })
      },
    },
    { invalidates: ['Profiles', 'Search', 'Audit trail'] },
  )
}

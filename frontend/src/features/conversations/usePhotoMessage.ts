/** A photo to be sent with the next message. It is kept until the server has it, under one key, so that it is sent once. */
import { reactive } from 'vue'
import type { Message } from '@/shared/api/generated'
import { shrunk } from '@/features/photos'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import { useUpload } from '@/shared/composables/useUpload'
import { uuid } from '@/shared/lib/uuid'

interface Written {
  file: File
  body: string
  key: string
}

export function usePhotoMessage(requestId: number, professionalId: number, onSent: () => unknown) {
  const { upload, progress } = useUpload()
  let key = uuid()
  const create = useApiMutation(
    {
      mutationFn: async ({ file, body, key: sentKey }: Written): Promise<Message> => {
        const photo = await shrunk(file)
        const { http } = await import('@/shared/api/http')
        // The generated call sends JSON; with a photo the message is a form.
        const form = new FormData()
        form.append('photo', photo, 'photo.jpg')
        form.append('body', body)
        form.append('professional_id', String(professionalId))
        const headers = { 'Idempotency-Key': sentKey }
        const path = `/requests/${requestId}/messages`
        return (await upload((options) => http.post<Message>(path, form, { headers, ...options }))).data
      },
    },
    { invalidates: ['Conversations'] },
  )

  const state = reactive({
    file: null as File | null,
    sending: false,
    progress,
    choose(file: File | null): void {
      state.file = file
      key = uuid()
    },
    /** Send the photo with what is typed; both stay where they are when it fails. */
    async send(draft: { text: string }): Promise<void> {
      if (!state.file || state.sending) return
      state.sending = true
      const body = draft.text.trim()
      if (await create.run({ file: state.file, body, key })) {
        state.choose(null)
        if (draft.text.trim() === body) draft.text = ''
        onSent()
      }
      state.sending = false
    },
  })
  return state
}

/** Photos of requests: what other features may use, loaded as one part when it is shown. */
import { defineAsyncComponent } from 'vue'

const part = () => import('./part')

export const RequestPhotos = defineAsyncComponent(async () => (await part()).RequestPhotos)
export const PhotoPicker = defineAsyncComponent(async () => (await part()).PhotoPicker)
export const MessagePhoto = defineAsyncComponent(async () => (await part()).MessagePhoto)
export const PhotoButton = defineAsyncComponent(async () => (await part()).PhotoButton)
export const ChosenPhoto = defineAsyncComponent(async () => (await part()).ChosenPhoto)
export { grouped } from './history'

/** Send photos to a request, by default of the problem to one that was just made; its page shows how far they are. */
export const sendPhotos = async (
  requestId: number,
  files: File[],
  of: { phase: 'problem' | 'before' | 'after'; point?: number } = { phase: 'problem' },
): Promise<void> => (await part()).addUploads(requestId, of.phase, files, of.point)
/** Make a photo smaller, and leave out where it was taken. */
export const shrunk = async (file: File): Promise<Blob> => (await part()).shrink(file)

export const photoIcons = { add_photo: 'i-lucide-image', delete_photo: 'i-lucide-image' }

/** Photos of requests: what other features may use, loaded as one part when it is shown. */
import { defineAsyncComponent } from 'vue'

const part = () => import('./part')

export const RequestPhotos = defineAsyncComponent(async () => (await part()).RequestPhotos)
export const PhotoPicker = defineAsyncComponent(async () => (await part()).PhotoPicker)
export const MessagePhoto = defineAsyncComponent(async () => (await part()).MessagePhoto)
export const PhotoButton = defineAsyncComponent(async () => (await part()).PhotoButton)
export const ChosenPhoto = defineAsyncComponent(async () => (await part()).ChosenPhoto)
export { grouped } from './history'

/** Send photos of the problem to a request that was just made; its page shows how far they are. */
export const sendPhotos = async (requestId: number, files: File[]): Promise<void> =>
  (await part()).addUploads(requestId, 'problem', files)
/** Make a photo smaller, and leave out where it was taken. */
export const shrunk = async (file: File): Promise<Blob> => (await part()).shrink(file)

export const photoIcons = { add_photo: 'i-lucide-image-plus', delete_photo: 'i-lucide-image-off' }

/** Everything about photos, in one part: it shares what the pages around it have loaded already. */
export { default as ChosenPhoto } from './components/ChosenPhoto.vue'
export { default as MessagePhoto } from './components/MessagePhoto.vue'
export { default as PhotoButton } from './components/PhotoButton.vue'
export { default as PhotoPicker } from './components/PhotoPicker.vue'
export { default as RequestPhotos } from './components/RequestPhotos.vue'
export { shrink } from './shrink'
export { addUploads } from './uploads'

/** Tasks: what other features may use. */
export { default as ProfessionalRow } from './components/ProfessionalRow.vue'
export { default as TaskChooser } from './components/TaskChooser.vue'
export { default as TaskPicture } from './components/TaskPicture.vue'
export { addresses, kinds } from './pictures'
export { useTaskProfessionals } from './useTaskProfessionals'
export { useOfferedTasks, useOfferedTimes } from './useTasks'

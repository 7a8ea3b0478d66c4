/** What the other pages say; a new file beside this one is found by itself. */
import { byName } from '../byName'

export default byName(import.meta.glob(['./*.json', '!./common.json', '!./nav.json', '!./errors.json', '!./search.json'], { eager: true, import: 'default' }))

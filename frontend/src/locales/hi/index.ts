/** What every page and the first one say: each file is a namespace of its own name. */
import { byName } from '../byName'

/** How to load the texts of each route. */
export { default as sets } from 'virtual:texts/hi'

export default byName(
  import.meta.glob(['./common.json', './nav.json', './errors.json', './search.json'], {
    eager: true,
    import: 'default',
    query: '?first',
  }),
)

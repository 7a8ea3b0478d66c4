/** What the other pages say; a new file beside this one is found by itself. What the first page has of the shared ones: vite.config.ts. */
import { byName } from '../byName'

export default {
  ...byName(
    import.meta.glob(['./*.json', '!./common.json', '!./nav.json', '!./errors.json', '!./search.json'], {
      eager: true,
      import: 'default',
    }),
  ),
  ...byName(
    import.meta.glob(['./common.json', './errors.json', './search.json'], {
      eager: true,
      import: 'default',
      query: '?later',
    }),
  ),
}

/** All English texts: each file beside this one is a namespace of its own name. */
const files = import.meta.glob<Record<string, unknown>>('./*.json', { eager: true, import: 'default' })

export default Object.fromEntries(
  Object.entries(files).map(([path, texts]) => [path.replace(/^\.\/|\.json$/g, ''), texts]),
)

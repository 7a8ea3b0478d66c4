// The part of the sheet that a page needs to be painted as it was rendered; states that only a pointer brings about come with the whole sheet.
import postcss from 'postcss'

/** The sheet's font faces, and the sheet without them. */
export function takeFontFaces(sheet) {
  const root = postcss.parse(sheet)
  const faces = []
  root.walkAtRules('font-face', (rule) => {
    faces.push(rule.toString())
    rule.remove()
  })
  return { faces: faces.join(''), rest: root.toString() }
}

const states = /:(hover|active|disabled|checked|open)|\[(aria-)?disabled|\[data-/
const unescaped = (name) =>
  name.replace(
    /\\([0-9a-f]{1,6}) ?|\\(.)/gi,
    (_, code, char) => char ?? String.fromCodePoint(parseInt(code, 16)),
  )
const classIn = /\.((?:\\[0-9a-f]{1,6} ?|\\.|[\w-])+)/gi

function seenIn(html) {
  const classes = new Set(['dark', 'light', 'late-font'])
  for (const [, list] of html.matchAll(/ class="([^"]*)"/g))
    for (const name of list.split(/\s+/)) classes.add(name)
  const tags = new Set(['html', 'body', ...[...html.matchAll(/<([a-z][a-z0-9]*)/g)].map(([, tag]) => tag)])
  const ids = new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
  return { classes, tags, ids }
}

function mayMatch(selector, { classes, tags, ids }) {
  if (states.test(selector)) return false
  // What stands in :is() and :where() is one of several: each page has html and body, so only the rest decides.
  const plain = selector.replace(/:(is|where|not|has)\((?:[^()]|\([^()]*\))*\)/g, '')
  if ([...plain.matchAll(classIn)].some(([, name]) => !classes.has(unescaped(name)))) return false
  const bare = plain.replace(classIn, ' ').replace(/\[[^\]]*\]|::?[\w-]+(\([^)]*\))?/g, ' ')
  if ([...bare.matchAll(/#([\w-]+)/g)].some(([, id]) => !ids.has(id))) return false
  return [...bare.replace(/#[\w-]+/g, ' ').matchAll(/[a-z][a-z0-9]*/gi)].every(([tag]) =>
    tags.has(tag.toLowerCase()),
  )
}

const variables = (text) => [...text.matchAll(/--[\w-]+/g)].map(([name]) => name)

/** Custom properties that nothing refers to, directly or by another of them, are left out. */
function dropUnusedVariables(root) {
  const used = new Set()
  const definitions = []
  root.walkDecls((one) => {
    if (one.prop.startsWith('--')) definitions.push(one)
    else for (const name of variables(one.value)) used.add(name)
  })
  for (let before = -1; before !== used.size;) {
    before = used.size
    for (const one of definitions)
      if (used.has(one.prop)) for (const name of variables(one.value)) used.add(name)
  }
  for (const one of definitions) if (!used.has(one.prop)) one.remove()
  root.walkAtRules('property', (rule) => {
    if (!used.has(rule.params)) rule.remove()
  })
}

export function criticalCss(sheet, html) {
  const seen = seenIn(html)
  const root = postcss.parse(sheet)
  root.walkComments((comment) => comment.remove())
  root.walkAtRules('media', (rule) => {
    if (/hover|print/.test(rule.params)) rule.remove()
  })
  root.walkRules((rule) => {
    if (rule.parent.type === 'atrule' && rule.parent.name.endsWith('keyframes')) return
    if (rule.parent.type === 'rule') return
    const kept = rule.selectors.filter((selector) => mayMatch(selector, seen))
    if (kept.length) rule.selectors = kept
    else rule.remove()
  })
  dropUnusedVariables(root)
  const animated = new Set()
  root.walkDecls(/^(animation|--animate)/, (one) => {
    for (const [name] of one.value.matchAll(/[\w-]+/g)) animated.add(name)
  })
  root.walkAtRules(/keyframes$/, (rule) => {
    if (!animated.has(rule.params)) rule.remove()
  })
  for (let again = true; again;) {
    again = false
    root.walk((node) => {
      if (
        (node.type === 'rule' || (node.type === 'atrule' && node.nodes && node.name !== 'property')) &&
        !node.nodes.length
      ) {
        node.remove()
        again = true
      }
    })
  }
  return root
    .toString()
    .replace(/\s*\n\s*/g, '')
    .replace(/<\//g, '<\\/')
}

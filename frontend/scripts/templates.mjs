// What an entry page looks like with data, as templates for the server (backend/api/entry_pages.py): each page is rendered with
// made-up answers, and what is recognised of them is replaced by {{placeholders}}. Rows that repeat are cut out.
import { profileTemplates } from './profileTemplates.mjs'

const name = 'Qzxname'
const made = {
  id: 918273,
  name,
  description: 'Qzxdescription',
  category: 'Qzxcategory',
  base_price: '9182736.00',
  pricing: 'fixed',
  currency: 'INR',
  time_required: 1397,
  isactive: 1,
  reviews: 3,
  professionals: 7391,
  picture: 'home',
  nearest_km: null,
}
const rated = { ...made, rating: 4.7 }
const unrated = { ...made, rating: null }
const category = (label, tasks) => ({ category: label, tasks })

/** Replaces what a rendered text says by placeholders. */
function replaced(html, pairs) {
  return pairs.reduce((text, [found, holder]) => text.replaceAll(found, `{{${holder}}}`), html)
}

/** The rows between the marks of a list, and the page with one placeholder in their place. */
function cut(html, first, holder) {
  const at = html.indexOf(first)
  const start = html.lastIndexOf('<!--[-->', at) + '<!--[-->'.length
  if (at < 0 || start < 8) throw new Error(`The page shows no ${first}`)
  let depth = 1
  let end = start
  for (const mark of html.slice(start).matchAll(/<!--(\[|\])-->/g)) {
    depth += mark[1] === '[' ? 1 : -1
    end = start + mark.index
    if (depth === 0) break
  }
  return { rows: html.slice(start, end), page: `${html.slice(0, start)}{{${holder}}}${html.slice(end)}` }
}

export function templatesOf(language, tools) {
  const { render, words, formatMoney, formatDuration, page } = tools
  const figures = (texts) => [
    [formatMoney(made.base_price, 'INR', language), 'price'],
    [formatDuration(made.time_required, language), 'duration'],
    [texts.professionals.at(-1).replace('{{count}}', made.professionals), 'offer'],
    [texts.pictures.home, 'picture'],
    ['4.7', 'rating'],
    [made.description, 'description'],
    [made.category, 'category'],
    [`/tasks/${made.id}?pincode=560001`, 'link'],
    [`/tasks/${made.id}`, 'link'],
    [name, 'name'],
  ]
  const cardOf = (texts, li) => replaced(li, figures(texts)).replaceAll('{{link}}', '/tasks/{{id}}{{query}}')

  function cards(texts, rows) {
    const [one, two, none] = rows.split(/(?=<li)/)
    if (!one || !two || none) throw new Error('Cards are not rendered as they were known here')
    return { rated: cardOf(texts, one), unrated: cardOf(texts, two) }
  }

  async function landing() {
    const texts = await words(language)
    const body = { items: [rated, { ...unrated, id: 918274 }], categories: [], near: [], next_cursor: null }
    const { title, html } = await render('/', language, body)
    const list = cut(html.replaceAll('918274', '918273'), '<li', 'rows')
    const nothing = await render('/', language, { ...body, items: [] })
    const pages = { list: page(title, list.page), empty: page(nothing.title, nothing.html) }
    return { pages, rows: cards(texts, list.rows), texts }
  }

  async function search() {
    const texts = await words(language)
    const q = 'Qzxq'
    const found = {
      items: [rated, { ...unrated, id: 918274 }],
      categories: [category('Qzxone', 4711)],
      near: [],
      next_cursor: null,
    }
    const tabs = { categories: [category('Qzxone', 4711), category('Qzxtwo', 4711)] }
    const near = {
      near: [
        { pincode: '560999', district: 'Qzxdistrict', state: '', task_id: 918275, task_name: 'Qzxnear' },
      ],
    }
    const result = { pages: {}, rows: {}, texts }
    const titles = Object.values(texts.titles).map((form) =>
      form.replace('{{q}}', q).replace('{{place}}', 'Qzxplace'),
    )

    async function add(template, body, { place = 'Qzxplace', active = '' } = {}) {
      const query = new URLSearchParams({
        q,
        ...(place && { location: place }),
        ...(active && { category: active }),
      })
      const { html } = await render(`/search?${query}`, language, body)
      let text = html.replaceAll('918274', '918273')
      if (body.items.length) {
        const list = cut(text, `<li class="min-w-0"`, 'rows')
        result.rows = { ...result.rows, ...cards(texts, list.rows) }
        text = list.page
      }
      if (body.categories.length > 1) {
        const list = cut(text, 'Qzxone', 'tabs')
        const [all, one, two] = list.rows.split(/(?=<button)/)
        const tab = (row) =>
          replaced(row, [
            ['Qzxone', 'label'],
            ['Qzxtwo', 'label'],
            ['4711', 'count'],
            [texts.everything, 'label'],
          ])
        Object.assign(
          result.rows,
          active ? { all: tab(all), tab_active: tab(one) } : { all_active: tab(all), tab: tab(two) },
        )
        text = list.page
      }
      if (body.near.length) {
        const list = cut(text, 'Qzxnear', 'near')
        result.rows.chip = replaced(list.rows, [['Qzxnear · Qzxdistrict 560999', 'label']]).replace(
          /\/search\?[^"]*/,
          '/search{{query}}',
        )
        text = list.page
      }
      text = text
        .replace(/(href="\/app\/search)\?q=Qzxq"/, '$1{{anywhere}}"')
        .replaceAll(texts.narrow[0], '{{narrow}}')
      for (const form of titles)
        text = text.replaceAll(`>${form}<`, '>{{title}}<').replaceAll(`"${form}"`, '"{{title}}"')
      result.pages[template] = page(
        '{{title}} · Doorstep',
        replaced(text, [
          [q, 'q'],
          ['Qzxplace', 'place'],
        ]),
      )
    }
    const more = { next_cursor: 'x' }
    const empty = { items: [], categories: [], near: [], next_cursor: null }
    await add('list', found)
    await add('list-more', { ...found, ...more })
    await add('list-tabs', { ...found, ...tabs }, { active: 'Qzxone' })
    await add('list-tabs', { ...found, ...tabs })
    await add('list-tabs-more', { ...found, ...tabs, ...more })
    for (const [suffix, extra] of [
      ['', {}],
      ['-tabs', tabs],
    ]) {
      await add(`empty${suffix}`, { ...empty, ...extra }, { place: '' })
      await add(`empty${suffix}-place`, { ...empty, ...extra })
      await add(`empty${suffix}-place-near`, { ...empty, ...extra, ...near })
    }
    return result
  }

  async function task() {
    const texts = await words(language)
    const pages = {}
    for (const [template, body] of Object.entries({ rated, unrated })) {
      const { html } = await render('/tasks/918273?pincode=560001', language, body)
      const text = replaced(html, [
        ...figures(texts).filter(([, holder]) => !['offer', 'link'].includes(holder)),
        [texts.count.at(-1).replace('{{count}}', made.professionals), 'count'],
      ])
        .replace(/next=[^"]*/, 'next={{next}}')
        .replaceAll('/tasks/918273/ask?pincode=560001', '/tasks/{{id}}/ask{{query}}')
      if (text.includes('918273') || text.includes('7391'))
        throw new Error('A figure of a task was not recognised')
      pages[template] = page('{{name}} · Doorstep', text)
    }
    return { pages, texts }
  }
  const profile = () => profileTemplates(language, { ...tools, cut, replaced })
  return { landing, search, task, profile }
}

// What a public profile looks like, as templates for the server (backend/api/entry_profiles.py). It has more forms than there can
// be pages: where two of them differ, what each has there is cut out.
const profile = {
  id: 918273,
  firstname: 'Qzxfirst',
  compname: 'Qzxcompany',
  exp: 7391,
  about: 'Qzxabout',
  photo_url: '/qzxphoto',
  tasks: [{ id: 918274, name: 'Qzxtask', base_price: '9182736.00', pricing: 'fixed' }],
  rating: 4.7,
  rating_counts: { 1: 7001, 2: 7002, 3: 7003, 4: 7004, 5: 7005 },
  reviews: 7392,
  tasks_done: 7393,
  verified_until: '2031-03-17T12:00:00+05:30',
  member_since: '2031-03-17T12:00:00+05:30',
  response_time: 'within_1_hour',
  service_area: 'Qzxarea',
}
const review = {
  rating: 3,
  comment: 'Qzxcomment',
  created_at: '2031-03-17T12:00:00+05:30',
  task_name: 'Qzxreviewed',
  reply: 'Qzxreply',
}
const facts = ['exp', 'done', 'response', 'area', 'since']
/** So long that the page shows its beginning only. */
const long = (text) => `${text}${' x'.repeat(300)}`

/** Where some forms of a page differ, from tag to tag, and what each of them has there. */
function difference(first, ...others) {
  const isCommon = (at) => others.every((one) => one.at(at) === first.at(at))
  let start = 0
  while (isCommon(start)) start += 1
  start = first.lastIndexOf('<', start)
  const most = Math.min(...[first, ...others].map((one) => one.length)) - start
  let tail = 0
  while (tail < most && isCommon(-1 - tail)) tail += 1
  const end = first.indexOf('<', first.length - tail)
  const forms = [first, ...others].map((one) => one.slice(start, one.length - first.length + end))
  return { start, end, forms }
}

/** The page with a placeholder for each of its parts, which must not overlap. */
function withHoles(html, parts) {
  let at = html.length
  let text = html
  for (const [name, { start, end }] of Object.entries(parts).sort(([, a], [, b]) => b.start - a.start)) {
    if (end > at) throw new Error(`The part ${name} of a profile overlaps with the next`)
    text = `${text.slice(0, start)}{{${name}}}${text.slice(end)}`
    at = start
  }
  return text
}

export async function profileTemplates(language, { render, profileWords, formatMoney, page, cut, replaced }) {
  const texts = await profileWords(language)
  const show = async (more = {}, reviews = { items: [review], next_cursor: null }) =>
    (
      await render('/professionals/918273?pincode=560001', language, {
        profile: { ...profile, ...more },
        reviews,
      })
    ).html
  const march = (style) =>
    texts.dates[style][2]
      .replace('{{weekday}}', texts.dates.weekdays[0])
      .replace('{{day}}', 17)
      .replace('{{year}}', 2031)
  const many = (forms, count) => forms.at(-1).replace('{{count}}', count)
  const known = [
    [texts.verified_until.replace('{{date}}', march('day_year')), 'verified'],
    [many(texts.exp, profile.exp), 'text'],
    [many(texts.done, profile.tasks_done), 'text'],
    [texts.responses.within_1_hour, 'text'],
    [texts.area.replace('{{area}}', profile.service_area), 'text'],
    [texts.since.replace('{{month}}', march('month')), 'text'],
    [many(texts.count, profile.reviews), 'count'],
    [texts.bars[4].replace('{{count}}', 7005), 'label'],
    [march('day'), 'day'],
    [review.created_at, 'at'],
    [formatMoney(profile.tasks[0].base_price, 'INR', language), 'price'],
    [`?pincode=560001&amp;professional=${profile.id}`, 'ask'],
    ['?pincode=560001', 'query'],
    [profile.tasks[0].id, 'id'],
    [profile.photo_url, 'photo'],
    [String(profile.reviews), 'reviews'],
    ['4.7', 'rating'],
    ['3.0', 'rating'],
    ['Qzxfirst', 'firstname'],
    ['Qzxcompany', 'compname'],
    ['Qzxabout', 'about'],
    ['Qzxtask', 'name'],
    ['Qzxreviewed', 'name'],
  ]
  const rows = {}
  const add = (name, html) => {
    rows[name] = replaced(html, known)
  }

  /** A comment or a reply: short, long or none. */
  async function longText(field) {
    const shown = async (value) =>
      cut(await show({}, { items: [{ ...review, [field]: value }], next_cursor: null }), 'Qzxreviewed', 'row')
        .rows
    const part = difference(await shown(review[field]), await shown(long(review[field])), await shown(null))
    const [short, whole, none] = part.forms.map((form) =>
      form.replace(/( x)+ …/, '').replace(review[field], '{{text}}'),
    )
    add(field, short)
    add(`${field}_long`, whole)
    add(`${field}_none`, none)
    return part
  }

  async function pageOf(more) {
    const base = await show(more)
    const parts = {
      picture: difference(base, await show({ ...more, photo_url: null })),
      tasks: difference(base, await show({ ...more, tasks: [] })),
      introduction: difference(base, await show({ ...more, about: '' })),
      list: difference(
        base,
        await show(more, { items: [review], next_cursor: 'x' }),
        await show(more, { items: [], next_cursor: null }),
      ),
    }
    let html = withHoles(base, parts)
    const list = cut(html, many(texts.exp, profile.exp), 'facts')
    html = list.page
    if (more.rating) {
      const bars = cut(html, texts.bars[4].replace('{{count}}', 7005), 'bars')
      html = bars.page
      const [bar] = bars.rows.split(/(?=<li)/)
      add(
        'bar',
        bar
          .replace(/(<rect width=")20[^"]*(?=" height="10" class="fill-\(--lamp)/, '$1{{width}}')
          .replace('aria-hidden="true">5<', 'aria-hidden="true">{{stars}}<')
          .replace('>7,005<', '>{{given}}<'),
      )
    }
    return { html: replaced(html, known), parts, facts: list.rows.split(/(?=<li)/) }
  }

  const rated = await pageOf({ rating: profile.rating })
  const unrated = await pageOf({ rating: null, reviews: 0 })
  const { picture, tasks, introduction, list } = rated.parts
  rated.facts.forEach((fact, index) => add(`fact_${facts[index]}`, fact))
  add('photo', picture.forms[0])
  add('letter', picture.forms[1].replace('>Q<', '>{{letter}}<'))
  const offered = cut(tasks.forms[0], '<li', 'rows')
  add('tasks', offered.page)
  add('tasks_none', tasks.forms[1])
  add('task', offered.rows)
  add('introduction', introduction.forms[0])
  add('introduction_none', introduction.forms[1])
  add('list', cut(list.forms[0], '<li', 'rows').page)
  add('list_more', cut(list.forms[1], '<li', 'rows').page)
  add('list_none', list.forms[2])
  add(
    'review',
    withHoles(cut(await show(), 'Qzxreviewed', 'row').rows, {
      comment: await longText('comment'),
      reply: await longText('reply'),
    }),
  )
  const left = [rated.html, unrated.html, ...Object.values(rows)].find((html) =>
    /Qzx|qzx|9182|739[123]|700[1-5]|2031|560001| d="[^"]*\{\{/.test(html),
  )
  if (left) throw new Error(`A part of a profile was not recognised: ${left}`)
  const pages = Object.fromEntries(
    Object.entries({ rated, unrated }).map(([name, { html }]) => [name, page('Doorstep', html)]),
  )
  return { pages, rows, texts }
}

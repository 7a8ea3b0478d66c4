/** Phrases that mean the same to the search. */
import { createSynonym, getSynonym, putSynonym } from '@/shared/api/generated'
import { putSynonymBody } from '@/shared/api/generated/schemas'
import { ifMatch, versioned, type Versioned } from '@/shared/api/etag'
import { i18n } from '@/shared/lib/i18n'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import { limitsOf, v } from '@/shared/lib/schema'

/** One phrase a line; empty lines and the same phrase in another case fall away. */
export function phrasesOf(text: string): string[] {
  const phrases = text
    .split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' '))
    .filter(Boolean)
  return phrases.filter(
    (phrase, index) => phrases.findIndex((other) => other.toLowerCase() === phrase.toLowerCase()) === index,
  )
}

const group = putSynonymBody.entries.phrases
const { minLength: fewest = 0 } = limitsOf(group)
export const synonymsSchema = v.object({
  phrases: v.pipe(
    v.string(),
    v.transform(phrasesOf),
    v.check(
      (phrases) => phrases.length >= fewest,
      () => i18n.global.t('synonyms.two'),
    ),
    v.check(
      (phrases) => phrases.every((phrase) => v.is(group.item, phrase)),
      () => i18n.global.t('synonyms.long'),
    ),
    group,
  ),
})

/** Read a group with its version, which an edit names. */
export async function readSynonyms(id: number): Promise<Versioned<{ phrases: string[] }>> {
  return versioned(await getSynonym({ path: { synonym_id: id } }))
}

export function useSaveSynonyms() {
  return useApiMutation(
    {
      mutationFn: ({
        id,
        etag,
        phrases,
      }: {
        id: number | null
        etag?: string
        phrases: string[]
      }): Promise<unknown> =>
        id === null
          ? createSynonym({ body: { phrases } })
          : putSynonym({ path: { synonym_id: id }, body: { phrases }, headers: ifMatch(etag) }),
    },
    { success: 'synonyms.saved', invalidates: ['Search'] },
  )
}

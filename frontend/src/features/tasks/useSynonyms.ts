/** Phrases that mean the same to the search. */
import { createSynonym, getSynonym, putSynonym } from '@/shared/api/generated'
import { ifMatch, versioned, type Versioned } from '@/shared/api/etag'
import { i18n } from '@/shared/lib/i18n'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import { z } from '@/shared/lib/schema'

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

export const synonymsSchema = z.object({
  phrases: z
    .string()
    .refine((text) => phrasesOf(text).length >= 2, { error: () => i18n.global.t('synonyms.two') })
    .refine((text) => phrasesOf(text).every((phrase) => phrase.length <= 100), {
      error: () => i18n.global.t('synonyms.long'),
    }),
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

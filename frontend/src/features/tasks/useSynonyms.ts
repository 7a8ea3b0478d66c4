/** Phrases that mean the same to the search. */
import { useMutation, useQueryClient } from '@tanstack/vue-query'
import {
  createSynonym,
  deleteSynonym,
  getSynonym,
  listSynonyms,
  putSynonym,
  type Synonyms,
} from '@/shared/api/generated'
import { i18n } from '@/app/i18n'
import { useKeysetList } from '@/shared/composables/useKeysetList'
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

export function useSynonymList() {
  return useKeysetList<Synonyms>({
    key: ['synonyms'],
    load: async ({ cursor, signal }) => (await listSynonyms({ query: { cursor, limit: 50 }, signal })).data,
  })
}

/** A group as it stands now, with what an edit of it must name. */
export async function readSynonyms(id: number): Promise<{ phrases: string[]; etag: string | undefined }> {
  const { data, headers } = await getSynonym({ path: { synonym_id: id } })
  return { phrases: data.phrases, etag: typeof headers.etag === 'string' ? headers.etag : undefined }
}

export function useSynonymEdits() {
  const client = useQueryClient()
  const refresh = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: ['synonyms'] }),
      client.invalidateQueries({ queryKey: ['search'] }),
    ])
  const save = useMutation({
    mutationFn: ({ id, etag, phrases }: { id: number | null; etag?: string; phrases: string[] }) =>
      id === null
        ? createSynonym({ body: { phrases } })
        : putSynonym({
            path: { synonym_id: id },
            body: { phrases },
            headers: etag ? { 'If-Match': etag } : {},
          }),
    onSettled: refresh,
  })
  const remove = useMutation({
    mutationFn: (id: number) => deleteSynonym({ path: { synonym_id: id } }),
    onSettled: refresh,
  })
  return { save, remove }
}

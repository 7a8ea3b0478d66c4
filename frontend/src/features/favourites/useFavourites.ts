/** Favourites of a customer, and users with whom the one who is signed in is not matched again. */
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { useI18n } from 'vue-i18n'
import {
  deleteMyExclusionMutation,
  deleteMyFavouriteMutation,
  listMyExclusionsInfiniteOptions,
  listMyExclusionsOptions,
  listMyFavouritesInfiniteOptions,
  listMyFavouritesOptions,
  putMyExclusionMutation,
  putMyFavouriteMutation,
} from '@/shared/api/generated'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import { useConfirm } from '@/shared/composables/useConfirm'
import { useKeysetList } from '@/shared/composables/useKeysetList'

/** All favourites are on one page of this size; of the others it says what was chosen last. */
const most = { query: { limit: 100 } }
const changes = { invalidates: ['Favourites', 'Search', 'Requests'] as const }

export const useFavouriteList = () => useKeysetList(() => listMyFavouritesInfiniteOptions({ query: {} }))
export const useExclusionList = () => useKeysetList(() => listMyExclusionsInfiniteOptions({ query: {} }))

/** Whether a professional is a favourite, and the way to change it. */
export function useFavourite(id: MaybeRefOrGetter<number>) {
  const query = useQuery(listMyFavouritesOptions(most))
  const kept = computed(() => query.data.value?.items.some((one) => one.id === toValue(id)) ?? false)
  const add = useApiMutation(putMyFavouriteMutation(), { ...changes, success: 'favourites.added' })
  const remove = useApiMutation(deleteMyFavouriteMutation(), { ...changes, success: 'favourites.removed' })
  return {
    kept,
    known: computed(() => query.isSuccess.value),
    busy: computed(() => add.isPending.value || remove.isPending.value),
    change: () => (kept.value ? remove : add).run({ path: { professional_id: toValue(id) } }),
  }
}

export function useExclusions() {
  const { t } = useI18n()
  const confirm = useConfirm()
  const query = useQuery(listMyExclusionsOptions(most))
  const add = useApiMutation(putMyExclusionMutation(), { ...changes, success: 'favourites.never.done' })
  const remove = useApiMutation(deleteMyExclusionMutation(), {
    ...changes,
    success: 'favourites.never.undone',
  })

  async function exclude(id: number, name: string): Promise<void> {
    const answer = await confirm({
      title: t('favourites.never.ask', { name }),
      follows: t('favourites.never.follows', { name }),
      action: t('favourites.never.action'),
      danger: true,
    })
    if (answer) await add.run({ path: { account_id: id } })
  }
  return {
    known: computed(() => query.isSuccess.value),
    has: (id: number) => query.data.value?.items.some((one) => one.id === id) ?? false,
    exclude,
    undo: (id: number) => remove.run({ path: { account_id: id } }),
    busy: computed(() => add.isPending.value || remove.isPending.value),
    undoing: (id: number) => remove.isPending.value && remove.variables.value?.path.account_id === id,
  }
}

/** Filters kept in the URL, so that a link shows the same list and Back returns to it. */
import { computed, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import { useRoute, useRouter, type LocationQuery, type Router } from 'vue-router'
import { isDay } from '@/shared/lib/day'
import { useDebounced } from './useDebounced'

/** Reads one part of a query; undefined for what makes no sense there. */
export type Field<T> = (text: string) => T | undefined
type Schema = Record<string, Field<unknown>>
type Values<S extends Schema> = { [Name in keyof S]?: Exclude<ReturnType<S[Name]>, undefined> }
type Written = string | number | boolean | undefined

export const field = {
  text: (text: string): string | undefined => text,
  number: (text: string): number | undefined => (/^\d{1,15}$/.test(text) ? Number(text) : undefined),
  day: (text: string): string | undefined => (isDay(text) ? text : undefined),
  flag: (text: string): true | undefined => (text === '1' ? true : undefined),
  oneOf:
    <T extends string | number>(choices: readonly T[]): Field<T> =>
    (text) =>
      choices.find((choice) => String(choice) === text),
}

/** Return what a query holds of a schema. */
export function readQuery<S extends Schema>(schema: S, query: LocationQuery): Values<S> {
  const found = Object.entries(schema).map(([name, read]) => {
    const text = query[name]
    return [name, typeof text === 'string' && text.trim() ? read(text.trim()) : undefined]
  })
  return Object.fromEntries(found.filter(([, value]) => value !== undefined)) as Values<S>
}
const written = (value: Written): string | undefined =>
  value === undefined || value === false || value === '' ? undefined : value === true ? '1' : String(value)

/** The query on its way into the URL, for all filters of a page; null once it is there or was refused. */
const pending = new WeakMap<Router, ShallowRef<LocationQuery | null>>()
function pendingOf(router: Router): ShallowRef<LocationQuery | null> {
  const found = pending.get(router) ?? shallowRef(null)
  pending.set(router, found)
  return found
}

/** `schema`: the fields by their names in the query; other parts of it are left alone. */
export function useUrlFilters<const S extends Schema>(schema: S) {
  type Name = keyof S & string
  const route = useRoute()
  const router = useRouter()
  // Navigation takes a moment: a second change meanwhile starts from the first one, which it would undo otherwise.
  const next = pendingOf(router)
  const query = computed(() => next.value ?? route.query)
  const values = computed(() => readQuery(schema, query.value))

  /** Change some fields; undefined, '' and false remove one. `push` makes the list before reachable by Back. */
  function set(changes: Partial<Record<Name, Written>>, how: 'replace' | 'push' = 'replace'): void {
    const changed = { ...query.value }
    for (const [name, value] of Object.entries<Written>(changes as Record<string, Written>)) {
      const text = written(value)
      if (text === undefined) Reflect.deleteProperty(changed, name)
      else changed[name] = text
    }
    next.value = changed
    void router[how]({ path: route.path, query: changed }).finally(() => {
      if (next.value === changed) next.value = null
    })
  }

  /** One field as a ref, for `v-model`. */
  const model = <N extends Name>(name: N) =>
    computed({
      get: () => values.value[name],
      set: (value) => set({ [name]: value } as Partial<Record<Name, Written>>),
    })

  /** A search field: in the URL once the user stops typing. */
  function typed(name: Name): Ref<string> {
    const current = () => String(values.value[name] ?? '')
    const text = ref(current())
    const settled = useDebounced(text, 300)
    watch(settled, (value) => {
      if (value.trim() !== current()) set({ [name]: value.trim() } as Partial<Record<Name, Written>>)
    })
    watch(current, (value) => {
      if (value !== settled.value.trim()) text.value = value
    })
    return text
  }

  const isFiltered = computed(() => Object.keys(values.value).length > 0)
  const clear = () => set(Object.fromEntries(Object.keys(schema).map((name) => [name, undefined])) as never)
  return { values, set, model, typed, isFiltered, clear }
}

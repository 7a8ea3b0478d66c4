import { afterEach, describe, expect, it, vi } from 'vitest'
import { show, until } from '@/shared/testing/mount'
import FilterFields from './FilterFields.vue'
import SearchFilters from './SearchFilters.vue'

const phone = (yes: boolean) =>
  vi.spyOn(window, 'matchMedia').mockReturnValue({
    matches: !yes,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  } as unknown as MediaQueryList)

describe('SearchFilters', () => {
  afterEach(() => vi.restoreAllMocks())

  it('loads the filter fields on a phone only on request', async () => {
    phone(true)
    const { wrapper } = await show(SearchFilters, { props: { filters: {} } })
    expect(wrapper.get('#narrow').element.childElementCount).toBe(0)
    await wrapper.get('button[aria-controls="narrow"]').trigger('click')
    await until(() => wrapper.findComponent(FilterFields).exists(), 'the fields')
    expect(wrapper.get('button[aria-controls="narrow"]').attributes('aria-expanded')).toBe('true')
  })

  it('shows the filter fields on a desktop and emits the choice', async () => {
    phone(false)
    const refined: unknown[] = []
    const { wrapper } = await show(SearchFilters, {
      props: { filters: {}, onRefine: (next: unknown) => refined.push(next) },
    })
    await until(() => wrapper.findComponent(FilterFields).exists(), 'the fields')
    await wrapper.get('input[inputmode="decimal"]').setValue('499')
    expect(refined).toEqual([{ max_price: '499' }])
  })

  it('reports an invalid price, keeps typed text, and accepts common formats', async () => {
    phone(false)
    const refined: unknown[] = []
    const { wrapper } = await show(SearchFilters, {
      props: { filters: {}, onRefine: (next: unknown) => refined.push(next) },
    })
    await until(() => wrapper.findComponent(FilterFields).exists(), 'the fields')
    const field = wrapper.get('input[inputmode="decimal"]')
    await field.setValue('cheap')
    expect(refined).toEqual([])
    expect(wrapper.text()).toContain('Enter a price, such as 499.')
    expect((field.element as HTMLInputElement).value).toBe('cheap')
    await field.setValue('₹ 1,499')
    expect(refined).toEqual([{ max_price: '1499' }])
    expect(wrapper.text()).not.toContain('Enter a price')
  })
})

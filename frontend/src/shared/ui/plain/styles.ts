/** How plain parts look, once for all of them: the classes of Nuxt UI's variants that these pages use, without its engine. */
const button =
  'inline-flex items-center justify-center rounded-md font-semibold transition-colors disabled:cursor-not-allowed disabled:opacity-75 focus-visible:outline-3'

const sizes = {
  sm: 'gap-1.5 text-xs',
  md: 'gap-1.5 text-sm',
  lg: 'gap-2 text-sm',
  xl: 'gap-2 text-base',
}
const paddings = { sm: 'px-2.5 py-1.5', md: 'px-2.5 py-1.5', lg: 'px-3 py-2', xl: 'px-3 py-2' }
const squares = { sm: 'p-1.5', md: 'p-1.5', lg: 'p-2', xl: 'p-2' }

/** A line inside of the edge, which takes no room. */
const line = {
  plain: 'shadow-[inset_0_0_0_1px_var(--ui-border-accented)]',
  error: 'shadow-[inset_0_0_0_1px_var(--ui-error)]',
}

const looks = {
  solid: 'bg-primary text-inverted outline-primary/25 hover:bg-primary/75 active:bg-primary/75',
  inverse: 'bg-inverted text-inverted outline-inverted/25 hover:bg-inverted/90 active:bg-inverted/90',
  danger: 'bg-error text-inverted outline-error/25 hover:bg-error/75 active:bg-error/75',
  dangerOutline: `text-error ${line.error} outline-error/25 hover:bg-error/10 active:bg-error/10`,
  outline: `bg-default text-default ${line.plain} outline-inverted/25 hover:bg-elevated active:bg-elevated focus-visible:shadow-[inset_0_0_0_1px_var(--ui-bg-inverted)]`,
  soft: 'bg-elevated text-default outline-inverted/25 hover:bg-accented/75 active:bg-accented/75',
  ghost: 'text-default outline-inverted/25 hover:bg-elevated active:bg-elevated',
  bare: 'text-muted outline-inverted/25 hover:text-default active:text-default',
}

export type Size = keyof typeof sizes
export type Look = keyof typeof looks

export const buttonClass = (look: Look, size: Size, square: boolean): string =>
  [button, sizes[size], (square ? squares : paddings)[size], looks[look]].join(' ')

export const iconSize: Record<Size, string> = { sm: 'size-4', md: 'size-5', lg: 'size-5', xl: 'size-6' }

const fieldLooks = {
  outline: 'bg-default text-highlighted focus-visible:outline-3',
  none: 'bg-transparent text-highlighted focus:outline-none',
}
const fieldSizes = { lg: 'gap-2 text-base/5', xl: 'gap-2 text-base' }
const edges = {
  fine: `outline-primary/25 ${line.plain} focus-visible:shadow-[inset_0_0_0_1px_var(--ui-primary)]`,
  wrong: `outline-error/25 ${line.error}`,
}
const startIcons = { lg: 'ps-10', xl: 'ps-11' }

export type FieldLook = keyof typeof fieldLooks
export type FieldSize = keyof typeof fieldSizes

export const inputClass = (
  look: FieldLook,
  size: FieldSize,
  { wrong, icon, end }: { wrong: boolean; icon: boolean; end: boolean },
): string =>
  [
    'w-full appearance-none rounded-md border-0 px-3 py-2 transition-colors placeholder:text-dimmed disabled:cursor-not-allowed disabled:opacity-75',
    fieldLooks[look],
    fieldSizes[size],
    look === 'outline' ? edges[wrong ? 'wrong' : 'fine'] : '',
    icon ? startIcons[size] : '',
    end ? 'pe-10' : '',
  ]
    .filter(Boolean)
    .join(' ')

/** Classes that name left and right. Sides follow the direction of the text instead: `ms-2`, `border-s`, `text-start`, `end-0`. */
export const sidedClasses = [
  '/^(.*:)?!?-?(ml|mr|pl|pr|left|right|scroll-m[lr]|scroll-p[lr])-/',
  '/^(.*:)?!?(border|rounded)-(l|r|tl|tr|bl|br)(-|$)/',
  '/^(.*:)?!?(text|float|clear)-(left|right)$/',
]

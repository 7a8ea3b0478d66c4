export const sidedClasses: readonly string[]

/** A press on a button of a prerendered page counts from the start, although its part of the page becomes alive later. */

declare global {
  interface Window {
    /** The button that was pressed last, alive or not; kept by index.html, which is there before any other script. */
    pressedEarly?: HTMLButtonElement | null
  }
}

/**
 * Press the button in `part` again that was pressed before the part was alive; called when it has just become so. Where the button
 * lies in a part that is not alive yet nothing happens, and that part presses it later.
 */
export function pressAgain(part: Element): void {
  const button = window.pressedEarly
  if (button && part.contains(button)) button.click()
}

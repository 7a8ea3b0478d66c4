/** A press on a button of a prerendered page counts from the start, although its part of the page becomes alive later. */

declare global {
  interface Window {
    /** The button that was pressed last, alive or not; kept by index.html, which is there before any other script. */
    pressedEarly?: HTMLButtonElement | null
  }
}

/**
 * Return the button in `part` that was pressed before the part was alive, to be pressed again once it is. Called right before it becomes
 * so: a press after that is the part's own. Where the button lies in a part that is not alive yet nothing happens, and that part
 * presses it later.
 */
export function pressedIn(part: Element): HTMLButtonElement | null {
  const button = window.pressedEarly
  return button && part.contains(button) ? button : null
}

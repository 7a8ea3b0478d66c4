// Sets the colour scheme before the first paint; a file of its own, so that the policy needs no inline script.
(function () {
  var choice = null
  try {
    choice = localStorage.getItem('doorstep-theme')
  } catch {
    choice = null
  }
  var dark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.classList.add(dark ? 'dark' : 'light')
})()

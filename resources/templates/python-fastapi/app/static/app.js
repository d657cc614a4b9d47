// Every page works without this; it makes forms ask before they delete and keeps them from being sent twice.
document.addEventListener('submit', (event) => {
  const form = event.target
  if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) {
    event.preventDefault()
    return
  }
  for (const button of form.querySelectorAll('button')) button.disabled = true
})

// A page that comes back from the browser's memory has its buttons again.
window.addEventListener('pageshow', () => {
  for (const button of document.querySelectorAll('form button')) button.disabled = false
})

if (document.currentScript?.dataset.development !== undefined) {
  let known
  const look = async () => {
    try {
      const answer = await fetch('/__dev/version', { cache: 'no-store' })
      const { version } = await answer.json()
      if (known && known !== version) window.location.reload()
      known = version
    } catch {
      // The server is starting again.
    }
  }
  setInterval(look, 1000)
}

/** Runs `start`, reports every error of the page to the console and shows a readable page where it cannot start. */
export function guard(start: () => void): void {
  window.addEventListener('error', (event) => report(event.error ?? event.message))
  window.addEventListener('unhandledrejection', (event) => report(event.reason))
  try {
    start()
  } catch (error) {
    report(error)
    show(error)
  }
}

function report(error: unknown): void {
  console.error(`[app-error] ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
}

function show(error: unknown): void {
  document.body.innerHTML = `
    <main role="alert" class="mx-auto flex min-h-dvh max-w-xl flex-col justify-center gap-4 p-8">
      <h1 class="text-2xl font-semibold">Something went wrong</h1>
      <pre class="overflow-auto rounded-lg bg-zinc-900 p-4 text-sm whitespace-pre-wrap text-zinc-100"></pre>
      <button type="button" class="self-start rounded-lg border border-zinc-300 px-4 py-2 text-sm font-medium hover:bg-zinc-100">
        Try again
      </button>
    </main>`
  document.querySelector('pre')!.textContent = error instanceof Error ? error.message : String(error)
  document.querySelector('button')!.addEventListener('click', () => location.reload())
}

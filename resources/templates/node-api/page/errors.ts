/** Reports every error of the page that nothing caught to the console. */
export function reportErrors(): void {
  window.addEventListener('error', (event) => report(event.error ?? event.message))
  window.addEventListener('unhandledrejection', (event) => report(event.reason))
}

function report(error: unknown): void {
  console.error(`[app-error] ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
}

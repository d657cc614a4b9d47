import { html, render } from './html'

export function startApp(root: HTMLElement): void {
  render(
    root,
    html`
      <main class="grid min-h-dvh place-items-center p-8">
        <div class="max-w-md text-center">
          <div aria-hidden="true" class="mx-auto mb-6 grid size-12 place-items-center rounded-2xl bg-ink">
            <span class="size-4 animate-pulse rounded-full bg-paper"></span>
          </div>
          <h1 class="text-2xl font-semibold tracking-tight">Ready when you are</h1>
          <p class="mt-3 text-muted">
            This is the starting point. Your app takes its place here as soon as its first files are written.
          </p>
        </div>
      </main>
    `,
  )
}

import { Game } from './game/Game'
import { find, html, render } from './html'

export function startApp(root: HTMLElement): void {
  render(
    root,
    html`
      <main class="mx-auto max-w-md p-6">
        <h1 class="text-2xl font-semibold">Snake</h1>
        <p>Score: <output id="score">0</output></p>
        <canvas id="board" width="400" height="400" class="border border-line"></canvas>
        <p class="text-muted">Press an arrow key to begin.</p>
      </main>
    `,
  )

  const canvas = find<HTMLCanvasElement>('#board', root)
  const context = canvas.getContext('2d')
  if (!context) throw new Error('This browser cannot draw.')

  // Only the number changes while the game runs.
  const game = new Game(context, {
    onScore: (score) => {
      find('#score', root).textContent = String(score)
    },
  })
  window.addEventListener('keydown', (event) => game.handleKey(event))
  game.draw()
}

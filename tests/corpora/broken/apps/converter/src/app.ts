import { unitSelect } from './components/unitSelect'
import { find, html, render } from './html'
import { ageOf, history, remember } from './lib/history'
import { convert } from './lib/units'

interface State {
  value: number
  from: string
  to: string
  message: string
}

const state: State = { value: 1, from: 'km', to: 'mi', message: '' }

export function startApp(root: HTMLElement): void {
  render(
    root,
    html`
      <main class="mx-auto max-w-md space-y-4 p-6">
        <h1 class="text-2xl font-semibold">Converter</h1>
        <form class="flex gap-2">
          <input name="value" type="number" value="1" step="any" aria-label="Value" />
          ${unitSelect('from', state.from)} ${unitSelect('to', state.to)}
          <button type="submit">Convert</button>
        </form>
        <p id="result" role="status"></p>
        <ol id="history"></ol>
      </main>
    `,
  )

  const form = find<HTMLFormElement>('form', root)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const data = new FormData(form)
    state.value = Number(data.get('value'))
    state.from = String(data.get('from'))
    state.to = String(data.get('to'))
    calculate()
    draw(root)
  })
}

function calculate(): void {
  try {
    const result = convert(state.value, state.from, state.to)
    state.message = `${state.value} ${state.from} = ${result.toFixed(3)} ${state.to}`
    remember({ value: state.value, from: state.from, to: state.to, result, at: new Date() })
  } catch (error) {
    // Kilograms do not become metres; that is said, not thrown.
    state.message = error instanceof Error ? error.message : String(error)
  }
}

function draw(root: HTMLElement): void {
  find('#result', root).textContent = state.message
  const lines = history().map((entry) => html`<li>${entry.value} ${entry.from}, ${ageOf(entry)} s ago</li>`)
  render(find('#history', root), html`${lines}`)
}

import { html, type Markup } from '../html'
import { UNITS } from '../lib/units'

/** A list of all units, with one of them chosen. */
export function unitSelect(name: string, chosen: string): Markup {
  const options = Object.values(UNITS).map(
    (unit) => html`<option value="${unit.id}" ${unit.id === chosen ? html`selected` : ''}>${unit.name}</option>`,
  )
  return html`<select name="${name}" class="rounded-lg border border-line px-3 py-2">${options}</select>`
}

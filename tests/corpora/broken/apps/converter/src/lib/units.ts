export type Dimension = 'length' | 'weight' | 'temperature'

export interface Unit {
  id: string
  name: string
  dimension: Dimension
  /** How many of the dimension's base unit one of it is. */
  factor: number
}

export const UNITS: Record<string, Unit> = {
  m: { id: 'm', name: 'Metre', dimension: 'length', factor: 1 },
  km: { id: 'km', name: 'Kilometre', dimension: 'length', factor: 1000 },
  mi: { id: 'mi', name: 'Mile', dimension: 'length', factor: 1609.344 },
  kg: { id: 'kg', name: 'Kilogram', dimension: 'weight', factor: 1 },
  lb: { id: 'lb', name: 'Pound', dimension: 'weight', factor: 0.45359237 },
}

export class UnknownUnitError extends Error {}

export function unitOf(id: string): Unit {
  const unit = Object.hasOwn(UNITS, id) ? UNITS[id] : undefined
  if (!unit) throw new UnknownUnitError(`Nobody knows the unit ${id}.`)
  return unit
}

/** Converts between two units of the same dimension. */
export function convert(value: number, from: string, to: string): number {
  const source = unitOf(from)
  const target = unitOf(to)
  if (source.dimension !== target.dimension) {
    throw new RangeError(`${source.name} cannot become ${target.name}.`)
  }
  return (value * source.factor) / target.factor
}

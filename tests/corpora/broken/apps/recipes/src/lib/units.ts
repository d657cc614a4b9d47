import type { Ingredient } from '../api/types'

const UNIT_LABELS = { g: 'g', ml: 'ml', piece: '×' } as const

/** "400 g Chickpeas", for another number of servings than the recipe's. */
export function describeIngredient(ingredient: Ingredient, factor = 1): string {
  const amount = Math.round(ingredient.amount * factor * 10) / 10
  return `${amount} ${UNIT_LABELS[ingredient.unit]} ${ingredient.name}`
}

export function groupBy<T, K extends string>(items: T[], key: (item: T) => K): Partial<Record<K, T[]>> {
  const groups: Partial<Record<K, T[]>> = {}
  for (const item of items) {
    // Begun where it is the first of its kind.
    const group = (groups[key(item)] ??= [])
    group.push(item)
  }
  return groups
}
